/** A tenant whose every column has a rule: what arrives is redacted, in the copy and in the stream, and nothing else does. */

import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REDACTED_TENANT } from '../../fixtures/shop/config.ts';
import { SHOP_TABLES } from '../../fixtures/shop/tables.ts';
import { traffic } from '../../fixtures/shop/traffic.ts';
import { makePair, type Pair } from '../harness/pair.ts';
import { TEST_HASH_KEY } from '../harness/pair-files.ts';
import { tableDigest } from '../harness/table-digest.ts';
import type { TestDatabase } from '../harness/test-database.ts';
import { TARGET_REGION } from '../servers/server-pair.ts';
import { filesBelow } from './files-below.ts';
import { until } from './until.ts';

/** In every value that must never leave the source. */
const CANARY = 'c4n4ry';

let pair: Pair;
/** Everything that any command said. */
let said = '';
beforeAll(async () => {
  pair = await makePair({ tenants: [REDACTED_TENANT, 'acme'], scale: 0.03 });
  expect((await pair.xcrepl(['init', '--region', TARGET_REGION])).exitCode).toBe(0);
});
afterAll(() => pair[Symbol.asyncDispose]());

const xcrepl = async (...args: readonly string[]) => {
  const result = await pair.xcrepl([...args, '-v', '-o', 'json']);
  said += result.stdout + result.stderr;
  return result;
};

const plant = async (mark: string): Promise<void> => {
  const of = `tenant_id = '${REDACTED_TENANT}'`;
  const value = `${CANARY}-${mark}`;
  await pair.source.query(`
    UPDATE shop.customers SET email = id || '-${value}@globex.example', phone = '${value}', full_name = '${value} ' || id,
           address = ROW('${value} street', '${value}', '1', 'DE'), note = '${value}' WHERE ${of};
    UPDATE shop.suppliers SET contact = id || '-${value}@globex.example' WHERE ${of};
    UPDATE shop.orders SET ship_to = ROW('${value}', '${value}', '2', 'FR') WHERE ${of};
    UPDATE shop.reviews SET body = '${value}' WHERE ${of};
    INSERT INTO shop.activity_log (tenant_id, at, message) VALUES ('${REDACTED_TENANT}', now(), '${value}')`);
};

/** HMAC-SHA-256 as RFC 2104 has it, by another implementation than the program's. */
const hashed = (text: string): string =>
  createHmac('sha256', TEST_HASH_KEY).update(text, 'utf8').digest('hex');

const redacted = (pii: string | undefined, text: string | null): string | null => {
  if (text === null || pii === 'address' || pii === 'free-text') return null;
  if (pii === 'email' || pii === 'name' || pii === 'id') return hashed(text);
  return pii === 'phone' ? '***' : text;
};

type TextRow = Record<string, string | null>;

const textRows = async (db: TestDatabase, { name, columns }: { name: string; columns: readonly string[] }) =>
  await db.query<TextRow>(
    `SELECT ${columns.map((column) => `${column}::text AS ${column}`).join(', ')} FROM ${name} WHERE tenant_id = $1`,
    [REDACTED_TENANT],
  );

const sorted = (rows: readonly TextRow[]): string[] => rows.map((row) => JSON.stringify(row)).toSorted();

/** Every column of every row of the tenant, computed from the source's row and the rule. */
const expectRedacted = async (): Promise<void> => {
  for (const table of Object.values(SHOP_TABLES)) {
    const pii: Readonly<Record<string, string>> = table.pii;
    const source = await textRows(pair.source, table);
    const wanted = source.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, text]) => [name, redacted(pii[name], text)])),
    );
    expect(sorted(await textRows(pair.target, table)), table.name).toEqual(sorted(wanted));
    expect(wanted.length, table.name).toBeGreaterThan(0);
  }
};

/** Tables of the target, whosever schema they are in, whose text holds this. */
const tablesHolding = async (text: string): Promise<string[]> => {
  const tables = await pair.target.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
      WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const holding: string[] = [];
  for (const { name } of tables) {
    const found = await pair.target.query(`SELECT FROM ${name} AS t WHERE strpos(t::text, $1) > 0 LIMIT 1`, [
      text,
    ]);
    if (found.length > 0) holding.push(name);
  }
  return holding;
};

const expectNoLeak = async (): Promise<void> => {
  expect(await tablesHolding(CANARY)).toEqual([]);
  expect(await tablesHolding('@globex.example')).toEqual([]);
  for (const [name, text] of Object.entries(await filesBelow(pair.directory)))
    expect(text.includes(CANARY), name).toBe(false);
  expect(said).not.toContain(CANARY);
};

test('the copy holds exactly what the rules leave', async () => {
  await plant('copied');
  const run = await xcrepl('replication', 'run');
  expect(run.exitCode, run.stderr).toBe(0);
  await expectRedacted();
  // Its evidence lies beside it then, and is searched like every other file.
  const { run: id } = run.json() as { run: string };
  expect((await xcrepl('evidence', 'export', id)).exitCode).toBe(0);
  await expectNoLeak();
  // The other tenant has no rules, and arrives as it is.
  for (const table of ['shop.customers', 'shop.orders', 'shop.reviews'])
    expect(await tableDigest(pair.target, table, `tenant_id = 'acme'`)).toEqual(
      await tableDigest(pair.source, table, `tenant_id = 'acme'`),
    );
});

test('the stream, too; and hashes of copied and of streamed rows meet', async () => {
  await using client = await pair.source.connect();
  const counts = await traffic(client, {
    seed: 5,
    tenants: [REDACTED_TENANT, 'acme'],
    signal: new AbortController().signal,
    transactions: 120,
  });
  expect(counts).toBeDefined();
  await plant('streamed');
  // One address in a row that was copied and left alone, and in a row that comes only now.
  const [copied] = await pair.source.query<{ email: string }>(
    `SELECT email FROM shop.customers WHERE tenant_id = $1 ORDER BY id LIMIT 1`,
    [REDACTED_TENANT],
  );
  await pair.source.query(`INSERT INTO shop.suppliers (tenant_id, name, contact) VALUES ($1, 'joined', $2)`, [
    REDACTED_TENANT,
    copied!.email,
  ]);
  const run = await xcrepl('replication', 'run');
  expect(run.exitCode, run.stderr).toBe(0);
  await expectRedacted();
  await expectNoLeak();
  const joined = `SELECT s.name FROM shop.customers c JOIN shop.suppliers s ON s.contact = c.email
                   WHERE c.tenant_id = $1 AND s.name = 'joined'`;
  expect(await pair.target.query(joined, [REDACTED_TENANT])).toEqual(
    await pair.source.query(joined, [REDACTED_TENANT]),
  );
  expect(await pair.target.query(joined, [REDACTED_TENANT])).toHaveLength(1);
});

test('a column without a rule holds its link before a byte of it, and with a rule nothing is missing', async () => {
  const following = pair.spawnXcrepl(['replication', 'run', '--follow', '-v', '-o', 'json']);
  await until('streaming', async () => {
    const active = await pair.source.query(
      'SELECT FROM pg_replication_slots WHERE database = current_database() AND active',
    );
    return active.length === 1;
  });
  await pair.source.query('ALTER TABLE shop.customers ADD COLUMN diagnosis text');
  await pair.target.query('ALTER TABLE shop.customers ADD COLUMN diagnosis text');
  await pair.source.query(
    `UPDATE shop.customers SET diagnosis = '${CANARY} of ' || id, tags = '{later}' WHERE tenant_id = $1`,
    [REDACTED_TENANT],
  );
  await until('a held link', async () => {
    const held = await pair.target.query(`SELECT FROM xcrepl.links WHERE state = 'errored'`);
    return held.length === 1;
  });
  following.kill('SIGTERM');
  const ended = await following;
  said += ended.stdout + ended.stderr;
  expect(ended.exitCode, ended.stderr).toBe(143);
  const again = await xcrepl('replication', 'run', '-o', 'json');
  expect(again.exitCode, again.stderr).toBe(7);
  const errored = [
    { code: 'XC-2001', message: expect.stringContaining('shop.customers.diagnosis') as string },
  ];
  expect(JSON.parse(ended.stdout)).toMatchObject({ errors: [], errored });
  expect(again.json()).toMatchObject({ outcome: 'partly', exit: 7, errors: [], errored });
  await expectNoLeak();
  expect(
    await pair.target.query(`SELECT FROM shop.customers WHERE diagnosis IS NOT NULL OR tags = '{later}'`),
  ).toEqual([]);

  await pair.configure((config) => {
    const tenant = config.tenants![REDACTED_TENANT]!;
    const columns = {
      ...tenant.columns,
      'shop.customers': {
        ...tenant.columns!['shop.customers'],
        diagnosis: { action: 'hash' as const, key: 'k1' },
      },
    };
    return { ...config, tenants: { ...config.tenants, [REDACTED_TENANT]: { ...tenant, columns } } };
  });
  const mended = await xcrepl('replication', 'run');
  expect(mended.exitCode, mended.stderr).toBe(0);
  await expectRedacted();
  await expectNoLeak();
  const customers = await pair.source.query<{ id: string }>(
    'SELECT id::text FROM shop.customers WHERE tenant_id = $1 ORDER BY customers.id',
    [REDACTED_TENANT],
  );
  expect(
    await pair.target.query(
      'SELECT id::text, diagnosis FROM shop.customers WHERE tenant_id = $1 ORDER BY customers.id',
      [REDACTED_TENANT],
    ),
  ).toEqual(customers.map(({ id }) => ({ id, diagnosis: hashed(`${CANARY} of ${id}`) })));
});
