/** A tenant whose tables and columns are called otherwise on the target, by the command line from precheck to drop. */

import { expect, test } from 'vitest';
import type { ConfigInput } from '../../src/core/config/schema.ts';
import { makePair } from '../harness/pair.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';

type Rule = NonNullable<ConfigInput['rules']>[number];

const MAP: Rule['map'] = {
  schemas: { app: 'app_eu' },
  tables: { 'app.Orders': 'sales.orders' },
  columns: { 'app.Orders': { Note: 'remark' } },
  case: 'lower',
};

const withMap =
  (map: Rule['map']) =>
  (config: ConfigInput): ConfigInput => ({
    ...config,
    tenants: {
      acme: { scope: { kind: 'column', column: 'tenantId', value: 'acme' } },
      globex: { scope: { kind: 'column', column: 'tenantId', value: 'globex' } },
    },
    rules: [
      {
        id: 'app',
        tenants: ['*'],
        tables: ['app.*'],
        from: SOURCE_REGION,
        to: [TARGET_REGION],
        verify: 'full',
        foreignKeys: 'check',
        ...(map ? { map } : {}),
      },
    ],
  });

const SOURCE = `
  CREATE SCHEMA app;
  CREATE TABLE app."Orders" ("tenantId" text, id int, "Note" text, PRIMARY KEY ("tenantId", id));
  CREATE TABLE app."Lines" ("tenantId" text, id int, "orderId" int, PRIMARY KEY ("tenantId", id),
    FOREIGN KEY ("tenantId", "orderId") REFERENCES app."Orders");
  INSERT INTO app."Orders" SELECT t, g, 'n' FROM unnest(ARRAY['acme', 'globex', 'other']) AS t, generate_series(1, 20) AS g;
  INSERT INTO app."Lines" SELECT "tenantId", id, id FROM app."Orders"`;

const TARGET = `
  CREATE SCHEMA app_eu; CREATE SCHEMA sales;
  CREATE TABLE sales.orders (id int, remark text, tenantid text, PRIMARY KEY (tenantid, id));
  CREATE TABLE app_eu.lines (tenantid text, id int, orderid int, PRIMARY KEY (tenantid, id),
    FOREIGN KEY (tenantid, orderid) REFERENCES sales.orders);
  INSERT INTO sales.orders VALUES (1, 'kept', 'elsewhere')`;

test('copied, streamed, verified, emptied and dropped under other names', async () => {
  await using pair = await makePair({ fixture: 'empty', config: withMap(MAP) });
  await pair.source.query(SOURCE);
  await pair.target.query(TARGET);
  const xcrepl = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await pair.xcrepl([...args, '-o', 'json']);
    return { exitCode, stderr, json: stdout === '' ? null : (JSON.parse(stdout) as Record<string, unknown>) };
  };
  await pair.xcrepl(['init', '--region', TARGET_REGION]);
  const precheck = await xcrepl('precheck');
  expect(precheck.exitCode, JSON.stringify(precheck.json)).toBe(0);

  await pair.target.query(`INSERT INTO app_eu.lines VALUES ('acme', 999, NULL)`);
  const held = await xcrepl('replication', 'run', '--once');
  expect([held.exitCode, held.stderr]).toEqual([6, expect.stringContaining('app_eu.lines')]);
  await pair.target.query('DELETE FROM app_eu.lines');

  const plan = await xcrepl('replication', 'simulate');
  expect(plan.json?.['steps']).toContainEqual(
    expect.objectContaining({ kind: 'copy-table', table: 'app.Orders', into: 'sales.orders' }),
  );
  const first = await xcrepl('replication', 'run', '--once');
  expect(first.exitCode, first.stderr).toBe(0);

  await pair.source.query(`
    DELETE FROM app."Lines" WHERE id > 15;
    UPDATE app."Orders" SET "Note" = 'changed' WHERE id < 5;
    UPDATE app."Orders" SET "tenantId" = 'acme', id = 100 WHERE "tenantId" = 'other' AND id = 20`);
  const second = await xcrepl('replication', 'run', '--once');
  expect(second.exitCode, second.stderr).toBe(0);
  const there = `SELECT tenantid, id, remark FROM sales.orders ORDER BY 1, 2`;
  const here = await pair.source.query(
    `SELECT "tenantId" AS tenantid, id, "Note" AS remark FROM app."Orders" WHERE "tenantId" <> 'other'
      UNION ALL SELECT 'elsewhere', 1, 'kept' ORDER BY 1, 2`,
  );
  expect(await pair.target.query(there)).toEqual(here);

  const status = await xcrepl('replication', 'status');
  expect(JSON.stringify(status.json)).toContain('"into":"app_eu.lines"');

  await pair.target.query(`
    SET session_replication_role = replica;
    UPDATE sales.orders SET remark = 'drifted' WHERE tenantid = 'acme' AND id = 7;
    INSERT INTO app_eu.lines VALUES ('elsewhere', 5, 77), ('acme', 500, NULL);
    DELETE FROM sales.orders WHERE tenantid = 'globex' AND id IN (8, 9)`);
  const differs = await xcrepl('replication', 'run', '--once');
  const found = (differs.json?.['findings'] ?? []) as { check: string; seen: string; keys?: object[] }[];
  expect(differs.exitCode, differs.stderr).toBe(6);
  expect(JSON.stringify(found)).toContain('"id":"7"');
  expect(found.filter(({ check }) => check === 'foreign-keys-hold').map(({ seen }) => seen)).toEqual([
    '2 rows point to no row of sales.orders',
  ]);

  await pair.source.query('TRUNCATE app."Orders", app."Lines"');
  const emptied = await xcrepl('replication', 'run', '--once');
  expect(emptied.exitCode, emptied.stderr).toBe(0);
  expect(await pair.target.query(there)).toEqual([{ tenantid: 'elsewhere', id: 1, remark: 'kept' }]);

  await pair.target.query('CREATE TABLE sales.orders_2 (LIKE sales.orders INCLUDING ALL)');
  await pair.configure(withMap({ ...MAP, tables: { 'app.Orders': 'sales.orders_2' } }));
  const moved = await xcrepl('replication', 'run', '--once');
  expect([moved.exitCode, moved.stderr]).toEqual([6, expect.stringContaining('XC-5272')]);
  await pair.configure(withMap({ ...MAP, tables: { 'app.Orders': 'app_eu.lines' } }));
  const blocked = await xcrepl('precheck');
  expect([blocked.exitCode, JSON.stringify(blocked.json)]).toEqual([7, expect.stringContaining('XC-5270')]);
  await pair.configure(withMap({ ...MAP, tables: { 'app.Orders': 'pg_temp.x', 'other.t': 'app.t' } }));
  const wrong = await xcrepl('config', 'validate');
  expect([wrong.exitCode, wrong.stderr]).toEqual([2, expect.stringMatching(/pg_temp[\s\S]*not among/)]);
});
