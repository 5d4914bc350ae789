/**
 * The bundler makes a file for every module that is imported dynamically, even where the module stands in a group and
 * the file only points to it. Such files are left out, and who imports them is sent where they point.
 */

import type { Plugin } from 'rolldown';

const FACADE = /^import \{ ([^}]*) \} from "(\.{1,2}\/[^"]+)";\s*export \{ ([^}]*) \};?\s*$/;

export const noFacades: Plugin = {
  name: 'no-facades',
  generateBundle(_options, bundle) {
    const facades = new Map<string, { readonly target: string; readonly members: string }>();
    for (const [file, chunk] of Object.entries(bundle)) {
      if (chunk.type !== 'chunk' || chunk.isEntry) continue;
      const [, imported = '', target = '', exported = ''] = FACADE.exec(chunk.code) ?? [];
      if (target === '') continue;
      facades.set(baseName(file), { target, members: members(imported, exported) });
      delete bundle[file];
    }
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== 'chunk') continue;
      chunk.code = chunk.code.replace(/\bimport\("\.\/([^"]+)"\)/g, (whole, file: string) => {
        const facade = facades.get(baseName(file));
        if (!facade) return whole;
        // As seen from the facade, which stands among the chunks; the entry stands above them.
        const target = chunk.isEntry
          ? facade.target.replace(/^\.\//, './chunk/').replace(/^\.\.\//, './')
          : facade.target;
        return `import("${target}").then((m) => ({ ${facade.members} }))`;
      });
    }
  },
};

const baseName = (file: string): string => file.slice(file.lastIndexOf('/') + 1);

/** From `{ a as b, c }` of the import and `{ b, c as d }` of the export to `b: m.a, d: m.c`. */
const members = (imported: string, exported: string): string => {
  const outside = new Map(pairs(imported).map(([there, here]) => [here, there]));
  return pairs(exported)
    .map(([here, name]) => `${JSON.stringify(name)}: m[${JSON.stringify(outside.get(here) ?? here)}]`)
    .join(', ');
};

const pairs = (list: string): [from: string, to: string][] =>
  list.split(', ').map((item) => {
    const [from = '', to = from] = item.split(' as ');
    return [from, to];
  });
