/**
 * Random tenants, tables, columns, rules and flows, with a canary in every value: after copies, streams, repairs,
 * recordings, refusals and errors no canary is anywhere that its rule does not let it go. XCREPL_SEED=… replays a seed.
 */

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ConfigInput } from '../../src/core/config/schema.ts';
import { seededRandom } from '../../src/core/time/seeded-random.ts';
import { makePair, type Pair } from '../harness/pair.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { filesBelow } from './files-below.ts';

const SEED = process.env['XCREPL_SEED'] ?? 'canaries-1';
const random = seededRandom(SEED);
const pick = <T>(of: readonly T[]): T => of[Math.floor(random.next() * of.length)]!;

/** Of these only the first two are replicated; the third's rows stand beside theirs. */
const TENANTS = ['ant', 'bee', 'cow'] as const;
type Action = 'allow' | 'hash' | 'mask' | 'drop';

/** How a value with a canary in it is written in each type. */
const TYPES = {
  text: (value: string) => `'${value}'`,
  'varchar(200)': (value: string) => `'${value}'`,
  jsonb: (value: string) => `'{"at": {"last": "${value}"}}'`,
  'text[]': (value: string) => `ARRAY['${value}']`,
  bytea: (value: string) => `convert_to('${value}', 'UTF8')`,
} as const;
type TypeName = keyof typeof TYPES;

const isText = (type: TypeName): boolean => type === 'text' || type === 'varchar(200)';

interface RandomTable {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: TypeName }[];
  /** The key is tenant and id, or tenant and a text that is hashed. */
  readonly byMail: boolean;
  readonly rules: Readonly<Record<string, Readonly<Record<string, Action>>>>;
}

const tables: readonly RandomTable[] = Array.from({ length: 4 }, (_, at) => {
  const count = 2 + Math.floor(random.next() * 4);
  const columns = Array.from({ length: count }, (__, n) => ({
    name: `c${n}`,
    type: pick(Object.keys(TYPES) as TypeName[]),
  }));
  const byMail = at % 2 === 1;
  const rulesOf = (): Record<string, Action> => ({
    tenant: 'allow',
    id: 'allow',
    mail: byMail ? 'hash' : pick(['hash', 'mask', 'drop', 'allow']),
    ...Object.fromEntries(
      columns.map(({ name, type }) => [
        name,
        pick(isText(type) ? (['hash', 'mask', 'drop', 'allow'] as const) : (['drop', 'allow'] as const)),
      ]),
    ),
  });
  return { name: `app.t${at}`, columns, byMail, rules: { ant: rulesOf(), bee: rulesOf() } };
});

const DDL = tables
  .map(
    ({ name, columns, byMail }) =>
      `CREATE TABLE ${name} (tenant text, id int NOT NULL, mail text, ${columns
        .map((column) => `${column.name} ${column.type}`)
        .join(', ')}, PRIMARY KEY (tenant, ${byMail ? 'mail' : 'id'}))`,
  )
  .join(';\n');

const canary = (tenant: string, table: string, column: string): string =>
  `cnry-${tenant}-${table.slice(4)}-${column}-`;

const insert = ({ name, columns }: RandomTable, tenant: string, id: number, mark: string): string =>
  `INSERT INTO ${name} (tenant, id, mail, ${columns.map((column) => column.name).join(', ')}) VALUES ('${tenant}', ${id},
    '${canary(tenant, name, 'mail')}${mark}${id}', ${columns
      .map((column) => TYPES[column.type](`${canary(tenant, name, column.name)}${mark}${id}`))
      .join(', ')})`;

const canariesOf = (wanted: (action: Action) => boolean): string[] =>
  tables.flatMap(({ name, rules }) =>
    Object.entries(rules).flatMap(([tenant, columns]) =>
      Object.entries(columns)
        .filter(([, action]) => wanted(action))
        .map(([column]) => canary(tenant, name, column)),
    ),
  );
/** What may be nowhere but at the source. */
const forbidden = ['cnry-cow-', 'cnry-unruled', ...canariesOf((action) => action !== 'allow')];
const allowed = canariesOf((action) => action === 'allow');

const LINK = `app:ant:${SOURCE_REGION}:${TARGET_REGION}`;

const configOf = (config: ConfigInput): ConfigInput => ({
  ...config,
  tenants: Object.fromEntries(
    TENANTS.slice(0, 2).map((tenant) => [
      tenant,
      {
        scope: { kind: 'column' as const, column: 'tenant', value: tenant },
        columns: Object.fromEntries(
          tables.map(({ name, rules }) => [
            name,
            Object.fromEntries(
              Object.entries(rules[tenant]!).map(([column, action]) => [
                column,
                action === 'hash' ? { action, key: 'k1' } : { action },
              ]),
            ),
          ]),
        ),
      },
    ]),
  ),
  rules: [{ id: 'app', tenants: ['*'], tables: ['app.*'], from: SOURCE_REGION, to: [TARGET_REGION] }],
});

let pair: Pair;
const said: [what: string, text: string][] = [];
beforeAll(async () => {
  pair = await makePair({ fixture: 'empty', sql: `CREATE SCHEMA app; ${DDL}`, config: configOf });
  await pair.source.query(
    tables
      .flatMap((table) =>
        TENANTS.flatMap((tenant) => [1, 2, 3, 4, 5, 6].map((id) => insert(table, tenant, id, 'a'))),
      )
      .join(';'),
  );
  await xcrepl(0, 'init', '--region', TARGET_REGION);
});
afterAll(() => pair[Symbol.asyncDispose]());

const FORMS = ['json', 'table', 'yaml', 'ndjson'] as const;
let turn = 0;
const xcrepl = async (exit: number | null, ...args: readonly string[]) => {
  const form = args.includes('-o') ? [] : ['-o', FORMS[turn++ % FORMS.length]!];
  const result = await pair.xcrepl([...args, '-v', ...form]);
  said.push([args.join(' '), result.stdout + result.stderr]);
  if (exit !== null) expect(result.exitCode, `${SEED}: ${args.join(' ')}\n${result.stderr}`).toBe(exit);
  return result;
};

const counts = async (db: Pair['source'], tenant: string): Promise<number[]> => {
  const found: number[] = [];
  for (const { name } of tables) {
    const [row] = await db.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${name} WHERE tenant = $1`, [
      tenant,
    ]);
    found.push(row!.n);
  }
  return found;
};

/** Every table of the target, ours among them. */
const targetText = async (): Promise<[string, string][]> => {
  const names = await pair.target.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
      WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  const found: [string, string][] = [];
  for (const { name } of names) {
    const [row] = await pair.target.query<{ text: string | null }>(
      `SELECT string_agg(t::text, E'\\n') AS text FROM ${name} t`,
    );
    found.push([name, row?.text ?? '']);
  }
  return found;
};

const expectNoCanary = async (): Promise<void> => {
  const files = Object.entries(await filesBelow(pair.directory));
  const texts = await targetText();
  // What may go is there, so the search finds what it looks for.
  expect(texts.some(([, text]) => allowed.some((one) => text.includes(one)))).toBe(true);
  const places = [...said, ...files, ...texts];
  for (const [where, text] of places)
    for (const one of forbidden)
      for (const form of [one, Buffer.from(one).toString('hex')])
        expect(text.includes(form), `XCREPL_SEED=${SEED}: ${form} in ${where}`).toBe(false);
};

test('copies, streams, repairs and recordings carry what the rules let go', async () => {
  await xcrepl(null, 'policy', 'scan');
  await xcrepl(0, 'replication', 'simulate', '--out', 'plan.json');
  await xcrepl(0, 'replication', 'run', '--plan', 'plan.json');
  expect(await counts(pair.target, 'cow')).toEqual([0, 0, 0, 0]);
  expect(await counts(pair.target, 'ant')).toEqual([6, 6, 6, 6]);

  for (const table of tables) {
    const { name, columns } = table;
    const set = columns.map(({ name: column, type }) => `${column} = ${TYPES[type]('VALUE')}`);
    const update = (tenant: string, where: string): string =>
      `UPDATE ${name} SET ${columns
        .map(({ name: column }, at) => set[at]!.replace('VALUE', `${canary(tenant, name, column)}u`))
        .join(', ')} WHERE tenant = '${tenant}' AND ${where}`;
    await pair.source.query(
      [
        ...TENANTS.map((tenant) => insert(table, tenant, 7, 'b')),
        ...TENANTS.map((tenant) => update(tenant, `id = ${1 + Math.floor(random.next() * 3)}`)),
        // A key that changes, a row that goes, and rows that go from tenant to tenant and are that one's own then.
        `UPDATE ${name} SET id = 100 + id, mail = mail || '-later' WHERE id = 4`,
        `DELETE FROM ${name} WHERE id = 5`,
        `UPDATE ${name} SET tenant = 'cow', id = 200 WHERE tenant = 'ant' AND id = 6`,
      ].join(';'),
    );
  }
  await xcrepl(0, 'replication', 'run');
  expect(await counts(pair.target, 'bee')).toEqual(await counts(pair.source, 'bee'));
  expect(await counts(pair.target, 'ant')).toEqual([5, 5, 5, 5]);

  // Rows that differ, are missing and are too many: told by keys as they are after policy.
  for (const { name, byMail } of tables)
    await pair.target.query(
      `UPDATE ${name} SET ${byMail ? 'id = id + 1000' : `mail = 'changed'`} WHERE tenant = 'ant' AND id IN (1, 2);
       DELETE FROM ${name} WHERE tenant = 'bee' AND id = 1`,
    );
  await xcrepl(6, 'replication', 'verify', '-o', 'table');
  await xcrepl(6, 'replication', 'verify', '--repair-plan', 'repair.json', '-o', 'json');
  await xcrepl(null, 'replication', 'run', '--plan', 'repair.json', '--confirm', TARGET_REGION);
  await xcrepl(0, 'replication', 'verify');
  await xcrepl(0, 'replication', 'record', '--link', LINK, '--to', 'ant.log');
  await expectNoCanary();
});

test('nor do refusals and errors say what does not go', async () => {
  const [first] = tables as readonly [RandomTable];
  await pair.target.query(`ALTER TABLE ${first.name} ADD CONSTRAINT few CHECK (id < 900)`);
  await pair.source.query(insert(first, 'bee', 901, 'c'));
  await xcrepl(6, 'replication', 'run');
  await pair.source.query(`
    ALTER TABLE ${first.name} ADD COLUMN diagnosis text;
    UPDATE ${first.name} SET diagnosis = 'cnry-unruled' || id`);
  await pair.target.query(`ALTER TABLE ${first.name} ADD COLUMN diagnosis text`);
  const held = await xcrepl(null, 'replication', 'run');
  expect(held.exitCode).not.toBe(0);
  for (const command of ['status', 'doctor', 'verify', 'simulate'])
    await xcrepl(null, 'replication', command);
  // Gates that refuse: everything may go nowhere.
  await pair.configure((config) => ({
    ...config,
    tenants: Object.fromEntries(
      Object.entries(config.tenants!).map(([name, tenant]) => [
        name,
        { ...tenant, residency: { zones: ['us'] } },
      ]),
    ),
  }));
  const { exitCode } = await xcrepl(null, 'replication', 'run');
  expect(exitCode).toBe(7);
  await xcrepl(null, 'policy', 'residency-report');
  await expectNoCanary();
});
