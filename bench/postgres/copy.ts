/** The initial copy of one table in two chunks, slot and all, as it is or with one column redacted on its way. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { ConfigInput } from '../../src/core/config/schema.ts';
import { initTarget } from '../../test/engine/test-engine.ts';
import { wholeSchema } from '../../test/engine/whole-schema.ts';
import { baseConfig } from '../../test/harness/pair-files.ts';
import type { TestDatabase } from '../../test/harness/test-database.ts';
import { comparePairs, type Measured, type Sample } from '../pairs.ts';
import { requireEqual, requireRedacted } from './equal.ts';
import { isInstalled } from './installed.ts';
import { subscribe } from './native.ts';
import { startRunner, type Runner } from './runner.ts';
import { withCosts } from './server-cost.ts';
import type { Servers } from './servers.ts';
import { fill, tableSql } from './workload.ts';

const CHUNKS = 2;
const SCHEMA = `CREATE SCHEMA app; ${tableSql('app.t')}`;

const redacted = (config: ConfigInput): ConfigInput => {
  const whole = wholeSchema(config);
  const rules = {
    tenant: 'allow',
    id: 'allow',
    n: 'allow',
    body: { pii: 'free-text', action: 'hash', key: 'k1' },
  } as const;
  return { ...whole, tenants: { all: { ...whole.tenants!['all']!, columns: { 'app.t': rules } } } };
};

export const measureCopies = async (
  servers: Servers,
  rows: number,
  pairs: number,
  wanted: (path: string) => boolean,
  note: (text: string) => void,
): Promise<Measured[]> => {
  const source = await servers.sourceDatabase('copies', SCHEMA);
  const target = await servers.targetDatabase('copies_target', SCHEMA);
  await fill(source, rows);
  await initTarget({ target });
  const measured: Measured[] = [];
  const compare = async (path: string, config: ConfigInput, check: () => Promise<void>): Promise<void> => {
    await using runner = await startRunner(source, target, config);
    const ours = (): Promise<Sample> => copyOurs(runner, config, check);
    const shared = { path, unit: 's', ratio: 'speed', pairs, rows } as const;
    await ours(); // code that ran once
    measured.push(
      await comparePairs({
        ...shared,
        against: 'native table sync (binary)',
        ours,
        theirs: () => copyNative(runner),
      }),
    );
    if (path !== 'copy') return;
    if (!(await isInstalled('pgcopydb'))) return note('copy against pgcopydb: skipped: not installed');
    measured.push(
      await comparePairs({
        ...shared,
        against: 'pgcopydb',
        ours,
        theirs: () => copyPgcopydb(source, target),
      }),
    );
  };
  const equal = (): Promise<void> => requireEqual(source, [target]);
  if (wanted('copy')) await compare('copy', wholeSchema(baseConfig('/nowhere')), equal);
  if (wanted('copy-redacted'))
    await compare('copy-redacted', redacted(baseConfig('/nowhere')), () => requireRedacted(source, target));
  return measured;
};

const copyOurs = async (runner: Runner, config: ConfigInput, check: () => Promise<void>): Promise<Sample> => {
  const { source, target } = runner;
  await runner.reopen(config);
  const { result, cpu } = await withCosts(runner, () => runner.call('freshCopy', { chunks: CHUNKS }));
  await check();
  await runner.drop();
  await empty(source, target);
  return { value: result, cpu };
};

const copyNative = async ({ source, target, pid }: Runner): Promise<Sample> => {
  const { result, cpu } = await withCosts({ source, target, pid }, async () => {
    const startedMs = performance.now();
    const native = await subscribe(source, target, 'TABLE app.t', { follow: false });
    return { native, value: (performance.now() - startedMs) / 1000 };
  });
  await requireEqual(source, [target]);
  await result.native.drop();
  await empty(source, target);
  return { value: result.value, cpu };
};

const copyPgcopydb = async (source: TestDatabase, target: TestDatabase): Promise<Sample> => {
  const directory = await mkdtemp(join(tmpdir(), 'bench-copydb-'));
  try {
    const startedMs = performance.now();
    const places = ['--source', source.dsn, '--target', target.dsn, '--dir', directory];
    const jobs = ['--table-jobs', String(CHUNKS), '--split-tables-larger-than', '64MB'];
    await execa('pgcopydb', ['copy', 'table-data', ...places, ...jobs]);
    const value = (performance.now() - startedMs) / 1000;
    await requireEqual(source, [target]);
    await empty(source, target);
    return { value };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

const empty = async (source: TestDatabase, target: TestDatabase): Promise<void> => {
  await target.query('TRUNCATE app.t');
  for (const database of [source, target]) await database.query('CHECKPOINT');
};
