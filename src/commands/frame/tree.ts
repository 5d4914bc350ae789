/** The command tree: found lazily along the path that was typed, or whole for help for programs and the reference. */

import type { CommandEntry, CommandModule } from './host.ts';

export interface TreeNode {
  readonly entry: CommandEntry;
  readonly module: CommandModule;
}

/** Loads the modules along the words that name commands, and no others. @returns the path, outermost first */
export const findPath = async (
  entries: readonly CommandEntry[],
  words: readonly string[],
): Promise<TreeNode[]> => {
  const path: TreeNode[] = [];
  let level: readonly CommandEntry[] = entries;
  for (const word of words) {
    const entry = level.find(({ name }) => name === word);
    if (!entry) break;
    const module = await entry.load();
    path.push({ entry, module });
    level = module.children ?? [];
  }
  return path;
};

export interface Branch extends TreeNode {
  readonly path: readonly string[];
  readonly children: readonly Branch[];
}

/** The whole tree: every module is loaded. */
export const loadTree = async (
  entries: readonly CommandEntry[],
  above: readonly string[] = [],
): Promise<Branch[]> =>
  Promise.all(
    entries.map(async (entry) => {
      const module = await entry.load();
      const path = [...above, entry.name];
      return { entry, module, path, children: await loadTree(module.children ?? [], path) };
    }),
  );
