/** Tables that cannot be replicated as they are: refused before anything is created, with statements that mend them. */

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { makePair, type Pair } from '../harness/pair.ts';
import { tableDigest } from '../harness/table-digest.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { expectRefusal, type Refusal } from './refusal.ts';
import { withoutHistory } from './server-history.ts';
import { bothStates } from './server-state.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await makePair({ fixture: 'empty' });
  expect((await pair.xcrepl(['init', '--region', TARGET_REGION])).exitCode).toBe(0);
});
afterAll(() => pair[Symbol.asyncDispose]());

interface Case {
  readonly name: string;
  /** Both sides get the schema "name" first. */
  readonly source: string;
  readonly target: string;
  /** As a rule's tables; all of the schema where absent. */
  readonly tables?: readonly string[];
  readonly refusal: Refusal;
  /** Where the statement of "next" is to be run; absent where no statement can mend it. */
  readonly mendOn?: 'source' | 'target';
  readonly application?: string;
}

const KEYED = 'tenant_id text, id int, v int, PRIMARY KEY (tenant_id, id)';
const ROW = `VALUES ('a', 1, 1), ('b', 2, 2)`;

const CASES: readonly Case[] = [
  {
    name: 'outside',
    source: `CREATE TABLE outside.t (tenant_id text NOT NULL, id int PRIMARY KEY, v int); INSERT INTO outside.t ${ROW};
             CREATE TABLE outside.u (tenant_id text, id int PRIMARY KEY, v int); INSERT INTO outside.u ${ROW}`,
    target: `CREATE TABLE outside.t (tenant_id text, id int PRIMARY KEY, v int, UNIQUE (tenant_id, id));
             CREATE TABLE outside.u (tenant_id text, id int PRIMARY KEY, v int, UNIQUE (tenant_id, id))`,
    refusal: { code: 'XC-2013', exit: 7, says: ['outside.t', 'outside.u', 'tenant_id', /SET NOT NULL/] },
    mendOn: 'source',
    application: `UPDATE outside.t SET v = v + 1; UPDATE outside.u SET v = v + 1; DELETE FROM outside.u WHERE id = 2`,
  },
  {
    name: 'parted',
    source: `CREATE TABLE parted.t (tenant_id text NOT NULL, id int PRIMARY KEY, v int) PARTITION BY RANGE (id);
             CREATE TABLE parted.t1 PARTITION OF parted.t FOR VALUES FROM (0) TO (2);
             CREATE TABLE parted.t2 PARTITION OF parted.t FOR VALUES FROM (2) TO (9);
             INSERT INTO parted.t ${ROW}`,
    target: `CREATE TABLE parted.t (${KEYED})`,
    refusal: { code: 'XC-2013', exit: 7, says: ['parted.t', 'ADD PRIMARY KEY'] },
    mendOn: 'source',
    application: 'UPDATE parted.t SET v = v + 1',
  },
  {
    name: 'missing',
    source: `CREATE TABLE missing.t (${KEYED})`,
    target: '',
    refusal: {
      code: 'XC-2014',
      exit: 7,
      says: [
        `missing.t (${TARGET_REGION}): no table missing.t`,
        'CREATE TABLE IF NOT EXISTS "missing"."t" (',
      ],
    },
    mendOn: 'target',
  },
  {
    name: 'differs',
    source: `CREATE TABLE differs.t (${KEYED}); INSERT INTO differs.t ${ROW}`,
    target: 'CREATE TABLE differs.t (tenant_id text, id int, v date, PRIMARY KEY (tenant_id, id))',
    refusal: { code: 'XC-2014', exit: 7, says: ['differs.t.v', 'integer on the source, date on the target'] },
    mendOn: 'target',
  },
  {
    name: 'lacks',
    source: `CREATE TABLE lacks.t (${KEYED}); INSERT INTO lacks.t ${ROW}`,
    target: 'CREATE TABLE lacks.t (tenant_id text, id int, PRIMARY KEY (tenant_id, id))',
    refusal: { code: 'XC-2014', exit: 7, says: [`lacks.t.v (${TARGET_REGION}): no such column`] },
    mendOn: 'target',
  },
  {
    name: 'wants',
    source: `CREATE TABLE wants.t (${KEYED}); INSERT INTO wants.t ${ROW}`,
    target: `CREATE TABLE wants.t (${KEYED}, must int NOT NULL)`,
    refusal: { code: 'XC-2014', exit: 7, says: ['wants.t.must', 'DROP NOT NULL'] },
    mendOn: 'target',
  },
  {
    name: 'keyless_there',
    source: `CREATE TABLE keyless_there.t (${KEYED}); INSERT INTO keyless_there.t ${ROW}`,
    target: 'CREATE TABLE keyless_there.t (tenant_id text, id int, v int)',
    refusal: { code: 'XC-2014', exit: 7, says: ['keyless_there.t', TARGET_REGION] },
    mendOn: 'target',
  },
  {
    name: 'untenanted',
    source: 'CREATE TABLE untenanted.t (id int PRIMARY KEY)',
    target: 'CREATE TABLE untenanted.t (id int PRIMARY KEY)',
    refusal: { code: 'XC-2010', exit: 7, says: ['untenanted.t', '!'] },
  },
  {
    name: 'nothing',
    source: '',
    target: '',
    refusal: { code: 'XC-2014', exit: 7, says: ['no table on the source is named by nothing.*'] },
  },
  {
    name: 'unlogged',
    source: `CREATE UNLOGGED TABLE unlogged.t (${KEYED})`,
    target: `CREATE TABLE unlogged.t (${KEYED})`,
    refusal: { code: 'XC-2014', exit: 7, says: ['none is logged', 'SET LOGGED'] },
  },
];

const makeTables = async ({
  name,
  source,
  target,
}: Pick<Case, 'name' | 'source' | 'target'>): Promise<void> => {
  await pair.source.query(`CREATE SCHEMA ${name}; ${source}`);
  await pair.target.query(`CREATE SCHEMA ${name}; ${target}`);
  await pair.configure((config) => ({
    ...config,
    tenants: { a: { scope: { kind: 'column', column: 'tenant_id', value: 'a' } } },
    rules: [{ id: name, tenants: ['a'], tables: [`${name}.*`], from: SOURCE_REGION, to: [TARGET_REGION] }],
  }));
};

const run = (...more: readonly string[]) => pair.xcrepl(['replication', 'run', '-o', 'json', ...more]);

/** CREATE INDEX CONCURRENTLY wants to be alone in its request. */
const paste = async (side: 'source' | 'target', statements: string): Promise<void> => {
  for (const statement of statements.split(';').filter((part) => part.trim() !== ''))
    await pair[side].query(statement);
};

/** Whatever a test replicated is gone before the next. */
afterEach(async () => {
  for (const { link } of await pair.target.query<{ link: string }>('SELECT link FROM xcrepl.links')) {
    const dropped = await pair.xcrepl(['replication', 'drop', '--link', link, '--confirm', TARGET_REGION]);
    expect(dropped.exitCode, dropped.stderr).toBe(0);
  }
});

test.each(CASES)('$name: refused with nothing done, and mended by what it says', async (one) => {
  await makeTables(one);
  const before = withoutHistory(await bothStates(pair));
  const error = expectRefusal(await run(), one.refusal);
  expect(withoutHistory(await bothStates(pair))).toEqual(before);

  if (one.mendOn === undefined) return;
  await paste(one.mendOn, error.next);
  const mended = await run();
  expect(mended.exitCode, mended.stderr).toBe(0);
  if (one.application !== undefined) {
    await pair.source.query(one.application);
    const again = await run();
    expect(again.exitCode, again.stderr).toBe(0);
  }
  const tables = (
    await pair.source.query<{ name: string }>(
      `SELECT schemaname || '.' || tablename AS name FROM pg_tables WHERE schemaname = $1 AND tablename IN ('t', 'u')`,
      [one.name],
    )
  ).map(({ name }) => name);
  for (const table of tables)
    expect(await tableDigest(pair.target, table, 'true', ['tenant_id', 'id', 'v'])).toEqual(
      await tableDigest(pair.source, table, `tenant_id = 'a'`, ['tenant_id', 'id', 'v']),
    );
});

test('a table without a key is carried by inserts alone, with a warning, and --strict refuses it', async () => {
  const table = 'CREATE TABLE keyless.t (tenant_id text NOT NULL, v int)';
  await makeTables({
    name: 'keyless',
    source: `${table}; INSERT INTO keyless.t VALUES ('a', 1), ('a', 1), ('b', 1)`,
    target: table,
  });
  const before = withoutHistory(await bothStates(pair));
  expectRefusal(await run('--strict'), { code: 'XC-2015', exit: 7, says: ['keyless.t', 'only inserts'] });
  expect(withoutHistory(await bothStates(pair))).toEqual(before);
  const first = await run();
  expect(first.exitCode, first.stderr).toBe(0);
  expect((first.json() as { findings: unknown[] }).findings).toContainEqual(
    expect.objectContaining({ code: 'XC-5311', severity: 'warn', subject: 'keyless.t' }),
  );
  // The application may still update and delete: those changes are not published, and so not refused.
  await pair.source.query(
    `INSERT INTO keyless.t VALUES ('a', 2); UPDATE keyless.t SET v = 9 WHERE tenant_id = 'b'`,
  );
  const second = await run();
  expect(second.exitCode, second.stderr).toBe(0);
  expect(await pair.target.query('SELECT tenant_id, v FROM keyless.t ORDER BY v')).toEqual([
    { tenant_id: 'a', v: 1 },
    { tenant_id: 'a', v: 1 },
    { tenant_id: 'a', v: 2 },
  ]);
});

test('rows that are there already are never written over without being asked', async () => {
  const table = `CREATE TABLE occupied.t (${KEYED})`;
  await makeTables({
    name: 'occupied',
    source: `${table}; INSERT INTO occupied.t ${ROW}`,
    target: `${table}; INSERT INTO occupied.t VALUES ('a', 7, 7), ('c', 8, 8)`,
  });
  const before = withoutHistory(await bothStates(pair));
  expectRefusal(await run(), { code: 'XC-5205', exit: 6, says: ['occupied.t', '--existing replace'] });
  expectRefusal(await run('--existing', 'replace', '--yes'), {
    code: 'XC-7004',
    exit: 13,
    says: [TARGET_REGION],
  });
  expectRefusal(await run('--existing', 'replace', '--confirm', SOURCE_REGION), { code: 'XC-1306', exit: 2 });
  expect(withoutHistory(await bothStates(pair))).toEqual(before);
  expect((await run('--existing', 'replace', '--confirm', TARGET_REGION)).exitCode).toBe(0);
  expect(await pair.target.query('SELECT tenant_id, id FROM occupied.t ORDER BY id')).toEqual([
    { tenant_id: 'a', id: 1 },
    { tenant_id: 'c', id: 8 },
  ]);
});
