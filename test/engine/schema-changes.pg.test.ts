/**
 * Changes of the source's schema in the middle of a stream. Each begins with two equal sides and rows in the log from
 * before the change; what the target lacks is told with the statement, which is then run, and nothing is missing.
 */

import { expect, test } from 'vitest';
import type { ConfigInput } from '../../src/core/config/schema.ts';
import { XcError } from '../../src/core/errors/xc-error.ts';
import type { Pair } from '../harness/pair.ts';
import { expectEqual, pairOf } from './empty-pair.ts';
import { openTestEngine } from './test-engine.ts';
import { wholeSchema } from './whole-schema.ts';

interface Change {
  readonly name: string;
  /** Of app.NAME, before both sides are equal. */
  readonly table: string;
  /** In the log when the change comes; `before` of it. */
  readonly before?: string;
  readonly change: string;
  readonly after: string;
  /** What the stream stops with; absent where it goes on. */
  readonly stops?: { readonly code: string; readonly next: string };
  /** Run on the target in place of the statement, or before the stream meets the change where it does not stop. */
  readonly onTarget?: string;
}

const fail = async (work: Promise<unknown>): Promise<XcError> => {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(XcError);
  return error as XcError;
};

const KEYED = 'id int PRIMARY KEY, a text, b int';

const CHANGES: readonly Change[] = [
  {
    name: 'add_nullable',
    table: KEYED,
    change: 'ADD COLUMN c numeric(4,1)',
    after: 'SET c = id / 2.0',
    stops: { code: 'XC-5202', next: 'ADD COLUMN "c" numeric(4,1);' },
  },
  {
    name: 'add_constant',
    table: KEYED,
    change: `ADD COLUMN c text COLLATE "C" NOT NULL DEFAULT 'it''s'`,
    after: `SET c = 'x' WHERE id > 5`,
    stops: {
      code: 'XC-5202',
      next: `ADD COLUMN "c" text COLLATE pg_catalog."C" DEFAULT 'it''s'::text NOT NULL;`,
    },
  },
  {
    name: 'add_stable',
    table: KEYED,
    change: 'ADD COLUMN c timestamptz DEFAULT now()',
    after: `SET b = 0 WHERE id > 5`,
    stops: { code: 'XC-5202', next: 'ALTER COLUMN "c" SET DEFAULT now();' },
  },
  {
    name: 'rename_column',
    table: KEYED,
    before: `SET a = 'before' WHERE id < 4`,
    change: 'RENAME COLUMN a TO z',
    after: `SET z = z || '!'`,
    stops: { code: 'XC-5220', next: 'RENAME COLUMN "a" TO "z";' },
  },
  {
    name: 'renamed_on_both',
    table: KEYED,
    before: `SET a = 'before' WHERE id < 4`,
    change: 'RENAME COLUMN a TO z',
    after: `SET z = z || '!' WHERE id > 2`,
    onTarget: 'ALTER TABLE app.renamed_on_both RENAME COLUMN a TO z',
  },
  {
    name: 'dropped_on_both',
    table: KEYED,
    before: `SET a = 'before' WHERE id < 4`,
    change: 'DROP COLUMN a, ADD COLUMN d text',
    after: `SET b = 7, d = 'new' WHERE id > 2`,
    onTarget: 'ALTER TABLE app.dropped_on_both DROP COLUMN a, ADD COLUMN d text',
  },
  {
    name: 'dropped_here_only',
    table: 'id int PRIMARY KEY, a text NOT NULL, b int',
    change: 'DROP COLUMN a',
    after: 'SET b = 7 WHERE id > 2',
    stops: { code: 'XC-5202', next: 'ALTER COLUMN "a" DROP NOT NULL;' },
    onTarget: 'ALTER TABLE app.dropped_here_only DROP COLUMN a',
  },
  {
    name: 'retype',
    table: KEYED,
    before: 'SET b = 41 WHERE id < 4',
    change: 'ALTER COLUMN b TYPE bigint',
    after: 'SET b = b + 5000000000',
    stops: { code: 'XC-5202', next: 'ALTER COLUMN "b" TYPE bigint;' },
  },
  {
    name: 'retype_float',
    table: 'id int PRIMARY KEY, b real, a text',
    before: 'SET b = 0.1 WHERE id < 4',
    change: 'ALTER COLUMN b TYPE double precision, ALTER COLUMN a TYPE int USING length(a)',
    after: 'SET b = 0.3 WHERE id = 5',
    stops: { code: 'XC-5202', next: 'USING "a"::text::integer' },
    onTarget:
      'ALTER TABLE app.retype_float ALTER COLUMN b TYPE double precision, ALTER COLUMN a TYPE int USING length(a)',
  },
  {
    name: 'retyped_on_both',
    table: KEYED,
    before: 'SET b = 41 WHERE id < 4',
    change: 'ALTER COLUMN b TYPE text USING b::text',
    after: `SET b = b || ' as text' WHERE id > 2`,
    onTarget: 'ALTER TABLE app.retyped_on_both ALTER COLUMN b TYPE text USING b::text',
  },
  {
    name: 'drop_not_null',
    table: 'id int PRIMARY KEY, a text NOT NULL, b int',
    change: 'ALTER COLUMN a DROP NOT NULL',
    after: 'SET a = NULL WHERE id = 3',
    stops: { code: 'XC-5202', next: 'ALTER COLUMN "a" DROP NOT NULL;' },
  },
  {
    name: 'label',
    table: 'id int PRIMARY KEY, b int, e app.mood, es app.mood[]',
    change: "TYPE ADD VALUE 'meh' BEFORE 'ok'",
    after: `SET e = 'meh' WHERE id > 5`,
    stops: { code: 'XC-5221', next: `ALTER TYPE "app"."mood" ADD VALUE IF NOT EXISTS 'meh' AFTER 'sad';` },
  },
  {
    name: 'domain',
    table: 'id int PRIMARY KEY, b int, d app.small, ds app.small[]',
    change: 'DOMAIN app.small DROP CONSTRAINT "is small"',
    after: `SET d = 11, ds = '{12}' WHERE id > 5`,
    stops: { code: 'XC-5202', next: 'ALTER DOMAIN "app"."small" DROP CONSTRAINT "is small";' },
  },
  {
    name: 'rename_table',
    table: KEYED,
    before: `SET a = 'before' WHERE id < 4`,
    change: 'RENAME TO "New Name"',
    after: `SET a = a || '!'`,
    stops: { code: 'XC-5202', next: 'ALTER TABLE "app"."rename_table" RENAME TO "New Name";' },
  },
];

const schema = `CREATE TYPE app.mood AS ENUM ('sad', 'ok'); CREATE DOMAIN app.small AS int CONSTRAINT "is small" CHECK (VALUE < 10);
${CHANGES.map(({ name, table }) => `CREATE TABLE app.${name} (${table});`).join('\n')}`;

const fill = async (pair: Pair): Promise<void> => {
  for (const { name, table } of CHANGES)
    await pair.source.query(
      `INSERT INTO app.${name} (id, b${table.includes('a text') ? ', a' : ''}) SELECT g, g${table.includes('a text') ? ", 'a' || g" : ''} FROM generate_series(1, 10) AS g`,
    );
};

const renamed = (name: string): string => (name === 'rename_table' ? 'app."New Name"' : `app.${name}`);

const alter = ({ name, change }: Change): string =>
  change.startsWith('DOMAIN')
    ? `ALTER ${change}`
    : change.startsWith('TYPE')
      ? `ALTER TYPE app.mood ${change.slice(5)}`
      : `ALTER TABLE app.${name} ${change}`;

test('each change in turn, with its exact statement, from the same position', async () => {
  await using pair = await pairOf(schema);
  await fill(pair);
  await using running = await openTestEngine(pair);
  await running.copyAndStream();
  for (const change of CHANGES) {
    const table = renamed(change.name);
    if (change.before !== undefined) await pair.source.query(`UPDATE app.${change.name} ${change.before}`);
    await pair.source.query(alter(change));
    await pair.source.query(`UPDATE ${table} ${change.after}`);
    await pair.source.query(`INSERT INTO ${table} (id) VALUES (99)`);
    if (change.onTarget !== undefined && !change.stops) await pair.target.query(change.onTarget);
    if (change.stops) {
      const error = await fail(running.catchUp());
      expect({ name: change.name, code: error.code }).toEqual({ name: change.name, code: change.stops.code });
      expect(error.next).toContain(change.stops.next);
      if (change.before !== undefined && change.name === 'rename_column')
        expect(await pair.target.query(`SELECT FROM app.rename_column WHERE a = 'before'`)).toHaveLength(3);
      await pair.target.query(change.onTarget ?? error.next);
    }
    await running.catchUp();
    await expectEqual(pair, [table]);
  }
}, 120_000);

const additive = (config: ConfigInput): ConfigInput => {
  const whole = wholeSchema(config);
  return { ...whole, rules: whole.rules!.map((rule) => ({ ...rule, ddl: 'additive' })) };
};

test('additive changes are made by the run, before the first row that needs them, and others still stop', async () => {
  await using pair = await pairOf(schema, additive);
  await fill(pair);
  await using running = await openTestEngine(pair);
  await running.copyAndStream();
  for (const change of CHANGES.filter(({ name }) => /^(add_|label)/.test(name))) {
    await pair.source.query(alter(change));
    await pair.source.query(`UPDATE app.${change.name} ${change.after}`);
  }
  await pair.source.query('ALTER TABLE app.retype ADD COLUMN w varchar(5)');
  await pair.source.query(`UPDATE app.retype SET w = 'abcde'`);
  await running.catchUp();
  await pair.source.query('ALTER TABLE app.retype ALTER COLUMN w TYPE varchar(9)');
  await pair.source.query(`UPDATE app.retype SET w = 'abcdefghi'`);
  await running.catchUp();
  await expectEqual(pair, [
    'app.add_nullable',
    'app.add_constant',
    'app.add_stable',
    'app.label',
    'app.retype',
  ]);
  const audit = await pair.target.query<{ subject: string }>(
    `SELECT subject FROM xcrepl.audit_outbox WHERE action = 'schema.add' ORDER BY id`,
  );
  expect(audit.map(({ subject }) => subject)).toEqual([
    'app.add_nullable',
    'app.add_constant',
    'app.add_stable',
    'app.label',
    'app.retype',
    'app.retype',
  ]);
  // A volatile default wrote rows that were not sent: that is no addition.
  await pair.source.query('ALTER TABLE app.retype ADD COLUMN r float DEFAULT random()');
  await pair.source.query('UPDATE app.retype SET b = 1 WHERE id = 1');
  expect(await fail(running.catchUp())).toMatchObject({ code: 'XC-5202', subject: 'app.retype.r' });
  expect(await pair.target.query(`SELECT FROM pg_attribute WHERE attname = 'r'`)).toEqual([]);
}, 120_000);

const RULES = { id: { action: 'allow' }, a: { action: 'allow' } } as const;

const ruled =
  (columns: Record<string, { readonly action: 'allow' }>) =>
  (config: ConfigInput): ConfigInput => {
    const added = additive(config);
    return { ...added, tenants: { all: { ...added.tenants!['all']!, columns: { 'app.t': columns } } } };
  };

test('under ddl: additive, too, a column without a rule stops before it is made on the target (P1)', async () => {
  await using pair = await pairOf('CREATE TABLE app.t (id int PRIMARY KEY, a text)', ruled(RULES));
  await pair.source.query(`INSERT INTO app.t VALUES (1, 'copied')`);
  {
    await using running = await openTestEngine(pair);
    await running.copyAndStream();
    await pair.source.query(
      `INSERT INTO app.t VALUES (2, 'before'); ALTER TABLE app.t ADD COLUMN phone text`,
    );
    await pair.source.query(`UPDATE app.t SET phone = '555' WHERE id = 1`);
    expect(await fail(running.catchUp())).toMatchObject({ code: 'XC-2001', subject: 'app.t.phone' });
  }
  expect(await pair.target.query('SELECT * FROM app.t ORDER BY id')).toEqual([
    { id: 1, a: 'copied' },
    { id: 2, a: 'before' },
  ]);
  await pair.configure(ruled({ ...RULES, phone: { action: 'allow' } }));
  await using again = await openTestEngine(pair);
  await again.engine.acquire();
  await again.catchUp();
  await expectEqual(pair, ['app.t']);
}, 120_000);
