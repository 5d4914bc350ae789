/**
 * How the bundle is cut. Each file that is looked up and linked costs a start a millisecond, so what is loaded together
 * stands together: what every start loads, what every command with a configuration loads, and what a look at the
 * databases loads. Each group is all that its roots import and no earlier group has, so groups never import each other
 * in a circle. Everything else is cut by the bundler.
 */

import { resolve } from 'node:path';

interface ModuleGraph {
  getModuleInfo(id: string): { readonly importedIds: readonly string[] } | null;
}

interface Group {
  readonly name: string;
  /** Paths below src/. */
  readonly roots: readonly string[];
}

const GROUPS: readonly Group[] = [
  { name: 'frame', roots: ['main.ts'] },
  { name: 'load', roots: ['commands/config/load.ts', 'commands/render/outcome.ts'] },
  {
    name: 'config',
    roots: ['core/config/parse.ts', 'core/config/document.ts'],
  },
  {
    name: 'look',
    roots: [
      'commands/config/secret.ts',
      'commands/replication/index.ts',
      'commands/replication/status.ts',
      'commands/replication/show-status.ts',
      'commands/replication/look.ts',
    ],
  },
];

/** @param source absolute path of src/ @returns the group of a module, for the bundler's `codeSplitting.groups` */
export const groupOf = (source: string): ((id: string, graph: ModuleGraph) => string | null) => {
  let groups: Map<string, string> | undefined;
  return (id, graph) => (groups ??= assign(source, graph)).get(id) ?? null;
};

const assign = (source: string, graph: ModuleGraph): Map<string, string> => {
  const groups = new Map<string, string>();
  for (const { name, roots } of GROUPS) {
    const waiting = roots.map((root) => resolve(source, root));
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      if (groups.has(id)) continue;
      const found = graph.getModuleInfo(id);
      if (!found) throw new Error(`no module ${id}: correct the roots in scripts/build-chunks.ts`);
      groups.set(id, name);
      waiting.push(...found.importedIds);
    }
  }
  return groups;
};
