/**
 * How the bundle is cut. Each file that is looked up and linked costs a start a millisecond, so what is loaded together
 * stands together: what every start loads, what a configuration that was checked before needs, what checks one, and
 * what a look at the databases loads. Everything else is cut by the bundler.
 */

import { dirname, resolve } from 'node:path';
import type { Plugin } from 'rolldown';

interface ModuleGraph {
  getModuleInfo(id: string): { readonly importedIds: readonly string[] } | null;
}

interface Group {
  readonly name: string;
  /** Paths below src/. */
  readonly roots: readonly string[];
}

/** Loaded by themselves before anything else; a module goes to the first whose roots import it. */
const BELOW: readonly Group[] = [
  { name: 'frame', roots: ['main.ts'] },
  { name: 'load', roots: ['commands/config/load.ts', 'commands/render/outcome.ts'] },
];

/** Loaded one without the other; what both import goes below them. */
const ABOVE: readonly Group[] = [
  { name: 'config', roots: ['core/config/parse.ts', 'core/config/document.ts'] },
  {
    name: 'look',
    roots: [
      'commands/config/secret.ts',
      'commands/replication/index.ts',
      'commands/replication/status.ts',
      'commands/replication/show-status.ts',
      'commands/replication/look.ts',
      'commands/replication/selection.ts',
      'providers/postgres/dsn.ts',
    ],
  },
];

/** @param source absolute path of src/ @returns the group of a module, for the bundler's `codeSplitting.groups` */
export const groupOf = (source: string): ((id: string, graph: ModuleGraph) => string | null) => {
  let groups: Map<string, string> | undefined;
  return (id, graph) => (groups ??= assign(source, graph)).get(id) ?? null;
};

/** Every group holds all that its members import or is above it, so that no two groups import each other. */
const assign = (source: string, graph: ModuleGraph): Map<string, string> => {
  const groups = new Map<string, string>();
  for (const group of BELOW)
    for (const id of reach(source, group, graph)) if (!groups.has(id)) groups.set(id, group.name);
  const seen = new Map<string, string>();
  for (const group of ABOVE)
    for (const id of reach(source, group, graph))
      if (!groups.has(id)) seen.set(id, seen.has(id) ? 'load' : group.name);
  // The entry's own file exists anyway.
  groups.delete(resolve(source, 'main.ts'));
  return new Map([...groups, ...seen]);
};

const reach = (source: string, { roots }: Group, graph: ModuleGraph): Set<string> => {
  const reached = new Set<string>();
  const waiting = roots.map((root) => resolve(source, root));
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (reached.has(id)) continue;
    const found = graph.getModuleInfo(id);
    if (!found) throw new Error(`no module ${id}: correct the roots in scripts/build-chunks.ts`);
    reached.add(id);
    waiting.push(...found.importedIds);
  }
  return reached;
};

/** A dynamic import of a neighbour in the same file of the bundle would still load a file that only points back. */
export const neighboursAtOnce = (source: string): Plugin => {
  const groups = new Map(
    [...BELOW, ...ABOVE].flatMap(({ name, roots }) => roots.map((root) => [resolve(source, root), name])),
  );
  return {
    name: 'neighbours-at-once',
    transform(code, id) {
      const group = groups.get(id);
      if (group === undefined || !code.includes('await import(')) return null;
      const statics: string[] = [];
      const changed = code.replace(
        /\bawait import\(\s*(['"])(\.[^'"]+)\1\s*\)/g,
        (whole, _quote, path: string) => {
          if (groups.get(resolve(dirname(id), path)) !== group) return whole;
          const name = `neighbour${statics.length}`;
          statics.push(`import * as ${name} from '${path}';`);
          return `await Promise.resolve(${name})`;
        },
      );
      return statics.length > 0 ? `${changed}\n${statics.join('\n')}\n` : null;
    },
  };
};
