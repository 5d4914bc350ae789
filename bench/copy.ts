/**
 * The initial copy of one table, against a native subscription's table synchronisation and, where it is installed,
 * pgcopydb. Both sides end with the same rows, which is checked.
 *
 *   npm run bench:copy -- [--rows 1000000] [--pairs 5] [--json FILE]
 */

import { parseArgs } from 'node:util';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { makePair, type Pair } from '../test/harness/pair.ts';
import { tableDigest } from '../test/harness/table-digest.ts';
import { initTarget, openTestEngine } from '../test/engine/test-engine.ts';
import { SOURCE_REGION, TARGET_REGION } from '../test/servers/server-pair.ts';
import { comparePairs, report, type Measured } from './pairs.ts';

const { values: flags } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    pairs: { type: 'string', default: '5' },
    json: { type: 'string' },
  },
});
const rows = Number(flags.rows);
const pairs = Number(flags.pairs);
const CHUNKS = 2;

const TABLE =
  'CREATE SCHEMA app; CREATE TABLE app.t (tenant text, id bigint, n int, body text, PRIMARY KEY (tenant, id))';

const ours = async (pair: Pair): Promise<number> => {
  const engine = await openTestEngine(pair);
  const startedMs = performance.now();
  await engine.engine.acquire();
  await engine.publish();
  await engine.createSlot();
  const [step] = await engine.copySteps(CHUNKS);
  await engine.engine.copyTable(step!, new AbortController().signal);
  const seconds = (performance.now() - startedMs) / 1000;
  await checked(pair);
  await engine.engine.dropLink(engine.stream.links[0]!.id);
  await engine.engine[Symbol.asyncDispose]();
  return seconds;
};

const native = async (pair: Pair): Promise<number> => {
  await pair.source.query('CREATE PUBLICATION bench FOR TABLE app.t');
  const startedMs = performance.now();
  await pair.target.query(
    `CREATE SUBSCRIPTION bench CONNECTION '${pair.source.dsn}' PUBLICATION bench WITH (binary = true)`,
  );
  for (;;) {
    const [state] = await pair.target.query<{ copied: boolean }>(
      `SELECT bool_and(srsubstate IN ('s', 'r')) AS copied FROM pg_subscription_rel`,
    );
    if (state?.copied) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const seconds = (performance.now() - startedMs) / 1000;
  await checked(pair);
  await pair.target.query('DROP SUBSCRIPTION bench');
  await pair.source.query('DROP PUBLICATION bench');
  return seconds;
};

const pgcopydb = async (pair: Pair): Promise<number> => {
  const directory = await mkdtemp(join(tmpdir(), 'bench-copydb-'));
  try {
    const startedMs = performance.now();
    const jobs = ['--table-jobs', String(CHUNKS), '--split-tables-larger-than', '64MB'];
    await execa('pgcopydb', [
      'copy',
      'table-data',
      '--source',
      pair.source.dsn,
      '--target',
      pair.target.dsn,
      '--dir',
      directory,
      ...jobs,
    ]);
    const seconds = (performance.now() - startedMs) / 1000;
    await checked(pair);
    return seconds;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

/** Both sides hold the same rows; then the target is emptied, and both are brought to rest. */
const checked = async (pair: Pair): Promise<void> => {
  const [source, target] = [await tableDigest(pair.source, 'app.t'), await tableDigest(pair.target, 'app.t')];
  if (source.md5 !== target.md5 || source.rows !== rows) throw new Error('the two sides differ');
  await pair.target.query('TRUNCATE app.t');
  await pair.target.query('CHECKPOINT');
};

const installed = async (program: string): Promise<boolean> =>
  (await execa(program, ['--version'], { reject: false })).exitCode === 0;

await using pair = await makePair({
  fixture: 'empty',
  sql: TABLE,
  private: true,
  config: (config) => ({
    ...config,
    tenants: { all: { scope: { kind: 'schema', schema: 'app' } } },
    rules: [{ id: 'app', tenants: ['all'], tables: ['app.*'], from: SOURCE_REGION, to: [TARGET_REGION] }],
  }),
});
await initTarget(pair);
await pair.source.query(
  `INSERT INTO app.t SELECT 'tenant', g, g % 1000, rpad(md5(g::text), 165, 'x') FROM generate_series(1, ${rows}) AS g`,
);
await pair.source.query('VACUUM (ANALYZE, FREEZE) app.t');
await pair.source.query('CHECKPOINT');
const measured: Measured[] = [
  await comparePairs(
    { path: 'copy', against: 'native table sync (binary)', unit: 's', ratio: 'speed' },
    pairs,
    () => ours(pair),
    () => native(pair),
  ),
];
if (await installed('pgcopydb'))
  measured.push(
    await comparePairs(
      { path: 'copy', against: 'pgcopydb', unit: 's', ratio: 'speed' },
      pairs,
      () => ours(pair),
      () => pgcopydb(pair),
    ),
  );
await report(measured, flags.json);
