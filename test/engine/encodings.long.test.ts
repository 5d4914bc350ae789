/** Databases of different encodings: keys, tenant values and texts beyond ASCII, and what a target cannot hold. */

import { expect, test } from 'vitest';
import { openDatabase, withDatabase, type TestDatabase } from '../harness/test-database.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import type { Pair } from '../harness/pair.ts';
import { oneTenant, pairOf } from './empty-pair.ts';
import { runPlan } from './run-plan.ts';
import { initTarget, openTestEngine, type TestEngine } from './test-engine.ts';

const never = new AbortController().signal;
const SQL = `CREATE SCHEMA app; CREATE TABLE app."tä" (tenant text, k text, v text, n int, PRIMARY KEY (tenant, k))`;
const ASCII_SQL = SQL.replace('ä', 'a');

const compare = async ({ engine, stream }: TestEngine) =>
  await engine.compare(
    {
      links: stream.links.map(({ id }) => id),
      wanted: () => true,
      whole: true,
      sample: 1,
      maxKeysNamed: 10,
      memory: null,
      acquired: true,
    },
    never,
  );

const linkStates = async (target: TestDatabase): Promise<string[]> => {
  const rows = await target.query<{ told: string }>(
    `SELECT link || ' ' || state AS told FROM xcrepl.links ORDER BY link`,
  );
  return rows.map(({ told }) => told);
};

const makeEncoded = async (
  database: TestDatabase,
  region: string,
  encoding: string,
  held: AsyncDisposableStack,
): Promise<TestDatabase> => {
  const name = `enc_${region.replaceAll('-', '_')}_${encoding.toLowerCase()}`;
  await database.query(`DROP DATABASE IF EXISTS ${name}`);
  await database.query(
    `CREATE DATABASE ${name} ENCODING '${encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`,
  );
  held.defer(async () => void (await database.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)));
  const opened = openDatabase(region, withDatabase(database.dsn, name));
  held.defer(() => opened.close());
  return opened;
};

const CASES: readonly (readonly [source: string, target: string, text: string, table: string])[] = [
  ['LATIN1', 'UTF8', 'é', 'tä'],
  ['UTF8', 'WIN1252', '€œ', 'tä'],
  ['LATIN2', 'UTF8', 'ő', 'tä'],
  ['UTF8', 'EUC_JP', '日本', 'ta'],
  ['EUC_JP', 'UTF8', '語', 'ta'],
  ['SQL_ASCII', 'UTF8', 'ü', 'tä'],
  ['UTF8', 'SQL_ASCII', '日', 'tä'],
  ['LATIN1', 'WIN1252', 'ÿ', 'tä'],
];

test('rows are copied, streamed, found again and compared between any two that have their characters', async () => {
  await using databases = new AsyncDisposableStack();
  const pair = databases.use(await pairOf(''));
  for (const [from, to, text, table] of CASES) {
    await using databases = new AsyncDisposableStack();
    const source = await makeEncoded(pair.source, SOURCE_REGION, from, databases);
    const target = await makeEncoded(pair.target, TARGET_REGION, to, databases);
    for (const side of [source, target]) await side.query(table === 'ta' ? ASCII_SQL : SQL);
    const config = oneTenant(pair.config);
    const encoded = {
      ...pair,
      source,
      target,
      config: {
        ...config,
        tenants: { a: { scope: { kind: 'column' as const, column: 'tenant', value: text } } },
      },
    };
    await initTarget(encoded);
    const name = `app."${table}"`;
    await source.query(
      `INSERT INTO ${name} VALUES ('${text}', '${text}1', '${text}', 1), ('${text}', '${text}2', 'x', 2), ('other', 'k', 'x', 0)`,
    );
    await using engine = await openTestEngine(encoded);
    await engine.copyAndStream();
    await source.query(
      `INSERT INTO ${name} VALUES ('${text}', '${text}3', '${text}', 3); UPDATE ${name} SET v = 'y${text}' WHERE k = '${text}1';
       DELETE FROM ${name} WHERE k = '${text}2'`,
    );
    await source.query(`UPDATE ${name} SET k = '${text}4' WHERE k = '${text}3'`);
    await engine.catchUp();
    expect(await target.query(`SELECT * FROM ${name} ORDER BY n`), `${from} to ${to}`).toEqual([
      { tenant: text, k: `${text}1`, v: `y${text}`, n: 1 },
      { tenant: text, k: `${text}4`, v: text, n: 3 },
    ]);
    expect((await compare(engine)).tables, `${from} to ${to}`).toMatchObject([
      { verdict: 'pass', rows: { source: 2 } },
    ]);
    await target.query(`UPDATE ${name} SET v = 'other' WHERE k = '${text}4'`);
    expect((await compare(engine)).tables[0]!.keys.map(({ kind, key }) => [kind, key['k']])).toEqual([
      ['changed', `${text}4`],
    ]);
  }
});

test('a character that the target lacks names row and column, and holds its link alone', async () => {
  await using databases = new AsyncDisposableStack();
  const pair = databases.use(await pairOf(SQL.replace('CREATE SCHEMA app; ', '')));
  const target = await makeEncoded(pair.target, TARGET_REGION, 'LATIN1', databases);
  await target.query(SQL);
  const two = oneTenant(pair.config);
  const encoded: Pick<Pair, 'source' | 'target' | 'config'> = {
    source: pair.source,
    target,
    config: {
      ...two,
      tenants: {
        a: { scope: { kind: 'column', column: 'tenant', value: 'a' } },
        b: { scope: { kind: 'column', column: 'tenant', value: 'é' } },
        c: { scope: { kind: 'column', column: 'tenant', value: 'c' } },
      },
      rules: two.rules!.map((rule) => ({ ...rule, tenants: ['*'] })),
    },
  };
  await initTarget(encoded);
  await pair.source.query(`INSERT INTO app."tä" VALUES ('a', '1', 'x', 1), ('é', 'é1', '10 €', 2)`);
  await using engine = await openTestEngine(encoded);
  const [a, b, c] = engine.stream.links.map(({ id }) => id);
  await engine.engine.acquire();
  await runPlan(encoded, engine, { selected: [a!, b!] });
  const held = { code: 'XC-5266', message: expect.stringContaining('column "v", row tenant="é" k="é1"') };
  expect(await engine.engine.erroredLinks()).toMatchObject([{ link: b, ...held }]);
  expect(await linkStates(target)).toEqual([`${a} streaming`, `${b} needs-repair`]);
  // A link that joins by itself holds up nobody, either.
  await pair.source.query(`INSERT INTO app."tä" VALUES ('c', '1', '日', 7), ('a', '1b', 'x', 1)`);
  await runPlan(encoded, engine);
  expect(await linkStates(target)).toEqual([`${a} streaming`, `${b} needs-repair`, `${c} needs-repair`]);
  expect(await target.query(`SELECT k FROM app."tä" WHERE tenant = 'a' ORDER BY k`)).toEqual([
    { k: '1' },
    { k: '1b' },
  ]);
  await pair.source.query(
    `UPDATE app."tä" SET v = '10 Euro' WHERE tenant = 'é'; DELETE FROM app."tä" WHERE k = '1b' OR tenant = 'c'`,
  );
  await engine.engine[Symbol.asyncDispose]();
  await using again = await openTestEngine(encoded);
  await again.engine.acquire();
  await runPlan(encoded, again, { repair: true });
  await again.catchUp();
  expect(await linkStates(target)).toEqual([`${a} streaming`, `${b} streaming`, `${c} streaming`]);
  await pair.source.query(
    `INSERT INTO app."tä" VALUES ('a', '2', 'y', 3), ('é', 'é2', 'ß', 4), ('é', 'é3', '日本', 5)`,
  );
  await again.catchUp();
  await pair.source.query(`INSERT INTO app."tä" VALUES ('a', '3', 'z', 6)`);
  await again.catchUp();
  expect(await again.engine.erroredLinks()).toMatchObject([
    {
      link: expect.stringContaining(':b:'),
      code: 'XC-5266',
      message: expect.stringContaining('column "v", row tenant="\\u{e9}" k="\\u{e9}3"'),
    },
  ]);
  expect(await target.query(`SELECT k FROM app."tä" ORDER BY n`)).toEqual([
    { k: '1' },
    { k: 'é1' },
    { k: '2' },
    { k: '3' },
  ]);
});
