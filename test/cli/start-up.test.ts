/** What a start loads, which is what it costs: docs/decisions/0001-start-up.md. The time itself is measured by bench/. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folder, run, type Folder } from './spawn.ts';

const PRELOADED = join(import.meta.dirname, 'loaded-modules.fixture.cjs');

const CONFIG = `schemaVersion: 1
controlPlane: test
regions:
  us-east-1: { zone: us, initialRole: primary, postgres: { dsn: env:DSN } }
  eu-central-1: { zone: eu, postgres: { dsn: env:DSN } }
tenants:
  acme: { scope: { kind: column, column: tenant_id, value: acme } }
rules:
  - { id: shop, tenants: [acme], tables: [shop.*], from: us-east-1, to: [eu-central-1] }
`;

interface Loaded {
  /** Files of the bundle, without their hashes: "main.js", "chunk/look.js". */
  readonly files: readonly string[];
  /** Node's own modules: "net", "internal/crypto/keys". */
  readonly modules: readonly string[];
}

/** By a start that finds its compiled code and its checked configuration where the one before left them. */
const loadedBy = async (args: readonly string[], exit: number): Promise<Loaded> => {
  await using files = await folder();
  await files.write('xcrepl.yaml', CONFIG);
  const settings = { XDG_CACHE_HOME: join(files.path, 'cache'), DSN: 'postgres://u:p@127.0.0.1:1/d' };
  await run(args, { cwd: files.path, env: settings });
  const [coverage, modules] = [join(files.path, 'coverage'), join(files.path, 'modules')];
  const preload = { NODE_OPTIONS: `--require ${PRELOADED}`, LOADED_MODULES: modules };
  const ended = await run(args, { cwd: files.path, env: { ...settings, ...preload } });
  expect(ended.exit, ended.stderr).toBe(exit);
  await run(args, { cwd: files.path, env: { ...settings, NODE_V8_COVERAGE: coverage } });
  const names = (await readFile(modules, 'utf8')).split('\n');
  return {
    files: await filesOfBundle(files),
    modules: names.map((name) => name.replace(/^NativeModule /, '')),
  };
};

const filesOfBundle = async (files: Folder): Promise<string[]> => {
  const directory = join(files.path, 'coverage');
  const [name = ''] = await readdir(directory);
  const { result } = JSON.parse(await readFile(join(directory, name), 'utf8')) as {
    result: { url: string }[];
  };
  return result
    .flatMap(({ url }) => /\/dist\/(.+)$/.exec(url)?.[1] ?? [])
    .map((file) => file.replace(/-[\w-]{8}\.js$/, '.js'))
    .toSorted();
};

/** Each would be noticed in the time of every start. */
const COSTLY =
  /^(internal\/)?(crypto|tls|https?|perf_hooks|worker_threads|child_process|zlib|readline)(\/|$)/;

test('help is one file, and nothing of a network', async () => {
  const { files, modules } = await loadedBy(['--help'], 0);
  expect(files).toEqual(['main.js']);
  expect(modules.filter((name) => COSTLY.test(name))).toEqual([]);
});

test('status loads what reads a checked configuration and what looks at a server: no zod, YAML or engine, no hashing', async () => {
  const { files, modules } = await loadedBy(['replication', 'status', '-o', 'json'], 5);
  expect(files).toEqual(['chunk/load.js', 'chunk/look.js', 'main.js']);
  expect(modules).toContain('net');
  expect(modules.filter((name) => COSTLY.test(name))).toEqual([]);
});
