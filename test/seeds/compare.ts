/** Whether the target holds what it should and nothing else; found without anything of the product. */

import { createHmac } from 'node:crypto';
import { REDACTED_TENANT, shopTenants } from '../../fixtures/shop/config.ts';
import { shopTables, SHOP_TABLES, type ShopTable } from '../../fixtures/shop/tables.ts';
import type { Pair } from '../harness/pair.ts';
import { TEST_HASH_KEY } from '../harness/pair-files.ts';
import { tableDigest } from '../harness/table-digest.ts';
import type { TestDatabase } from '../harness/test-database.ts';
import { ledgerTables } from './ledger/schema.ts';
import { PLAIN_TENANTS, SHOP_TENANTS } from './world.ts';

/** How many rows of each kind are shown of a table that differs, and how much of each. */
const SHOWN_ROWS = 4;
const SHOWN_CHARACTERS = 200;

const listed = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');

/** @throws Error that names every table with what is missing, too much or stale in it */
export const expectSameRows = async (pair: Pair): Promise<void> => {
  const plain = `tenant_id IN (${listed(PLAIN_TENANTS)})`;
  const wrong = [
    ...(await differing(pair, shopTables, plain)),
    ...(await differing(pair, ledgerTables, 'true')),
    ...(await redactedWrongly(pair)),
    ...(await strangers(pair.target)),
  ];
  if (wrong.length > 0) throw new Error(`the target is not as the source:\n${wrong.join('\n')}`);
};

const differing = async (pair: Pair, tables: readonly string[], where: string): Promise<string[]> => {
  const wrong: string[] = [];
  for (const table of tables) {
    const [source, target] = await Promise.all([
      tableDigest(pair.source, table, where),
      tableDigest(pair.target, table, where),
    ]);
    if (source.md5 !== target.md5)
      wrong.push(
        `${table}: ${source.rows} rows at the source, ${target.rows} at the target\n${await shownDifference(pair, table, where)}`,
      );
  }
  return wrong;
};

const shownDifference = async (pair: Pair, table: string, where: string): Promise<string> => {
  const sql = `SELECT t::text AS row FROM ${table} AS t WHERE ${where}`;
  const read = async (db: TestDatabase): Promise<string[]> =>
    (await db.query(sql)).map((each) => each['row']);
  const [source, target] = await Promise.all([read(pair.source), read(pair.target)]);
  return [
    ...shownRows('only at the source', without(source, target)),
    ...shownRows('only at the target', without(target, source)),
  ].join('\n');
};

const shownRows = (name: string, list: readonly string[]): string[] =>
  list.slice(0, SHOWN_ROWS).map((row) => `  ${name}: ${row.slice(0, SHOWN_CHARACTERS)}`);

/** What is left of `from` when each of `taken` takes one equal away. */
const without = (from: readonly string[], taken: readonly string[]): string[] => {
  const counts = new Map<string, number>();
  for (const row of taken) counts.set(row, (counts.get(row) ?? 0) + 1);
  return from.filter((row) => {
    const left = counts.get(row) ?? 0;
    counts.set(row, left - 1);
    return left <= 0;
  });
};

/** Expected values of the tenant whose columns are hashed, masked and dropped, made here from the source's rows. */
const redactedWrongly = async (pair: Pair): Promise<string[]> => {
  const rules = shopTenants([REDACTED_TENANT])[REDACTED_TENANT]?.columns ?? {};
  const wrong: string[] = [];
  for (const table of Object.values<ShopTable>(SHOP_TABLES)) {
    const columns = rules[table.name] ?? {};
    const read = async (db: TestDatabase): Promise<Record<string, string | null>[]> =>
      await db.query(
        `SELECT ${table.columns.map((name) => `"${name}"::text`).join(', ')} FROM ${table.name} WHERE tenant_id = '${REDACTED_TENANT}'`,
      );
    const [source, target] = await Promise.all([read(pair.source), read(pair.target)]);
    const row = (values: Record<string, string | null>): string =>
      JSON.stringify(table.columns.map((name) => values[name]));
    const expected = source.map((values) =>
      row(
        Object.fromEntries(
          table.columns.map((name) => [name, redacted(columns[name], values[name] ?? null)]),
        ),
      ),
    );
    const found = target.map(row);
    const [missing, extra] = [without(expected, found), without(found, expected)];
    if (missing.length + extra.length > 0)
      wrong.push(
        `${table.name} of ${REDACTED_TENANT}: ${missing.length} missing, ${extra.length} too much; ` +
          [...missing.slice(0, 1), ...extra.slice(0, 1)]
            .map((one) => one.slice(0, SHOWN_CHARACTERS))
            .join(' / '),
      );
  }
  return wrong;
};

type Rule = NonNullable<NonNullable<ReturnType<typeof shopTenants>[string]['columns']>[string]>[string];

const redacted = (rule: Rule | undefined, value: string | null): string | null => {
  const action = typeof rule === 'object' ? rule.action : rule;
  if (value === null || action === 'drop') return null;
  if (action === 'hash') return createHmac('sha256', TEST_HASH_KEY).update(value).digest('hex');
  return action === 'mask' ? '***' : value;
};

/** Tables of the shop that hold a row of a tenant that does not replicate. */
const strangers = async (target: TestDatabase): Promise<string[]> => {
  const found: string[] = [];
  for (const table of shopTables) {
    const rows = await target.query<{ tenant: string; rows: number }>(
      `SELECT tenant_id AS tenant, count(*)::int AS rows FROM ${table} WHERE tenant_id NOT IN (${listed(SHOP_TENANTS)}) GROUP BY 1`,
    );
    for (const { tenant, rows: count } of rows)
      found.push(`${table}: ${count} rows of ${tenant}, who has no rule`);
  }
  return found;
};
