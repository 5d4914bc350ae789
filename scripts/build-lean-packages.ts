/**
 * What packages load or ask at once though few runs need it, put off until it is needed. A package that says it in
 * another way than expected stops the build, because a start would quietly become slower.
 */

import type { Plugin } from 'rolldown';

interface Change {
  readonly file: RegExp;
  readonly from: string;
  readonly to: string;
}

const CHANGES: readonly Change[] = [
  // For subcommands that are programs of their own. There are none here, and the module brings sockets with it.
  {
    file: /commander\/lib\/command\.js$/,
    from: "import childProcess from 'node:child_process';",
    to: "const childProcess = { spawn: (...a) => process.getBuiltinModule('node:child_process').spawn(...a) };",
  },
  // The Web Crypto API is asked for when a server wants a password, not when the driver is loaded.
  {
    file: /pg\/lib\/crypto\/utils\.js$/,
    from: 'const webCrypto = nodeCrypto.webcrypto || globalThis.crypto\n',
    to: 'const webCrypto = { getRandomValues: (...a) => nodeCrypto.webcrypto.getRandomValues(...a) }\n',
  },
  {
    file: /pg\/lib\/crypto\/utils\.js$/,
    from: 'const subtleCrypto = webCrypto.subtle\n',
    to: `const subtleCrypto = Object.fromEntries(['digest', 'importKey', 'sign', 'deriveBits'].map((name) =>
  [name, (...a) => nodeCrypto.webcrypto.subtle[name](...a)]))\n`,
  },
  // Asks for the global navigator, which Node then makes.
  {
    file: /pg\/lib\/stream\.js$/,
    from: 'function isCloudflareRuntime() {\n',
    to: 'function isCloudflareRuntime() {\n  return false\n',
  },
];

export const leanPackages: Plugin = {
  name: 'lean-packages',
  transform: {
    filter: { id: CHANGES.map(({ file }) => file) },
    handler(code, id) {
      let changed = code;
      for (const { file, from, to } of CHANGES) {
        if (!file.test(id)) continue;
        if (!changed.includes(from)) throw new Error(`${id} no longer says: ${from}`);
        changed = changed.replace(from, () => to);
      }
      return changed;
    },
  },
};
