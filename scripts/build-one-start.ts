/**
 * What every start loads becomes one file, the entry's: the bundler makes three of it, the entry, the group that it
 * imports, and its own few lines for packages that are no ES modules. Each would be looked up, read and linked.
 */

import type { Plugin } from 'rolldown';

const IMPORT = /^import \{ ([^}]*) \} from "\.\/(?:chunk\/)?([^"/]+)";$/gm;
/** An import for what a file does when it is loaded: the entry was by then. */
const ONLY_RUN = /^import "\.\/([^"/]+)";\n/gm;
const EXPORT = /^export \{ ([^}]*) \};?$/m;

/** @param group name of the group that the entry imports */
export const oneStart = (group: string): Plugin => ({
  name: 'one-start',
  generateBundle(_options, bundle) {
    const named = (name: string) => {
      const found = Object.values(bundle).find((file) => file.type === 'chunk' && file.name === name);
      if (found?.type !== 'chunk') throw new Error(`no chunk ${name} in the bundle`);
      return found;
    };
    const entry = named('main');
    const parts = [named('rolldown-runtime'), named(group)];
    const absorbed = new Map(parts.map(({ fileName, code }) => [baseName(fileName), exportsOf(code)]));
    /** What an absorbed file called outward, by the name that it has inside. */
    const inside = (file: string, [outside, here]: Renamed): Renamed => {
      const local = absorbed.get(file)?.get(outside);
      if (local === undefined) throw new Error(`${file} has no ${outside}`);
      return [local, here];
    };
    const bodies = [...parts, entry].map(({ fileName, code }) => {
      if (code.includes('import.meta') && fileName !== parts[0]!.fileName)
        throw new Error(`${fileName} asks where it is, and is moved`);
      return code.replace(EXPORT, '').replace(IMPORT, (_whole, names: string, file: string) =>
        pairs(names)
          .map((pair) => inside(file, pair))
          .filter(([local, here]) => local !== here)
          .map(([local, here]) => `const ${here} = ${local};\n`)
          .join(''),
      );
    });
    const shared = new Set([...absorbed.values()].flatMap((names) => [...names.values()]));
    entry.code = `${bodies.join('\n').replaceAll(/\bimport\("\.\/(?!chunk\/)/g, 'import("./chunk/')}
export { ${[...shared].join(', ')} };\n`;
    for (const { fileName } of parts) delete bundle[fileName];
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== 'chunk' || chunk === entry) continue;
      chunk.code = chunk.code
        .replace(IMPORT, (whole, names: string, file: string) =>
          absorbed.has(file)
            ? `import { ${pairs(names)
                .map((pair) => inside(file, pair).join(' as '))
                .join(', ')} } from "../${entry.fileName}";`
            : whole,
        )
        .replace(ONLY_RUN, (whole, file: string) => (absorbed.has(file) ? '' : whole));
      const left = [...absorbed.keys()].find((file) => chunk.code.includes(file));
      if (left) throw new Error(`${chunk.fileName} asks for ${left} in a way that is not known here`);
    }
  },
});

type Renamed = [from: string, to: string];

/** By the name that others import: the name inside. */
const exportsOf = (code: string): ReadonlyMap<string, string> =>
  new Map(pairs(EXPORT.exec(code)?.[1] ?? '').map(([local, outside]) => [outside, local]));

const pairs = (list: string): Renamed[] =>
  list
    .split(', ')
    .filter((item) => item !== '')
    .map((item) => {
      const [from = '', to = from] = item.split(' as ');
      return [from, to];
    });

const baseName = (file: string): string => file.slice(file.lastIndexOf('/') + 1);
