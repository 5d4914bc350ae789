import { describe, expect, test } from 'vitest';
import { makePair } from '../../../../test/harness/pair.ts';
import { nestedRow, NESTED_SCHEMA, OTHER_NESTED } from './nested-values.fixture.ts';
import { linkName, verify } from './verify-pair.fixture.ts';

/** Types whose text depends on settings, scale, padding or order, and keys of several kinds. */
const SCHEMA = `${NESTED_SCHEMA}
  CREATE TYPE mood AS ENUM ('sad', 'ok');
  CREATE TYPE spot AS (x int, m mood, note text);
  CREATE DOMAIN price AS numeric CHECK (VALUE >= 0);
  CREATE TABLE kinds (
    id int PRIMARY KEY, n numeric, p price, f float8, r real, t timestamptz, d date, i interval, b bytea, c char(8),
    x xml, j jsonb, e mood, s spot, sa spot[], na numeric[], ar text[][], tz time with time zone, ip inet, m money,
    rg int4range, bt bit varying, g int GENERATED ALWAYS AS (id * 2) STORED
  );
  CREATE TABLE orders (tenant_id text, id bigint, note text, PRIMARY KEY (tenant_id, id));
  CREATE TABLE words (word text COLLATE "und-x-icu" PRIMARY KEY, n int);
  CREATE TABLE sharp (word text COLLATE "C" PRIMARY KEY, n int);
  CREATE TABLE loose (a int, b text);
  CREATE TABLE parts (id int, at date, v text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
  CREATE TABLE parts_old PARTITION OF parts FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
  CREATE TABLE parts_new PARTITION OF parts FOR VALUES FROM ('2025-01-01') TO (MAXVALUE);
  CREATE TABLE mooded (m mood PRIMARY KEY, n int);`;

const VALUE_COLUMNS = 'n, p, f, r, t, d, i, b, c, x, j, e, s, sa, na, ar, tz, ip, m, rg, bt';

const KINDS = `INSERT INTO kinds VALUES
  (1, 1.10, 2.50, 0.1, 0.1, '2024-02-29 12:00:00.123456+02', '0044-03-15 BC', '1 mon -2 days 3:04:05.6', '\\x00ff', 'ab',
   '<?xml version="1.0" encoding="UTF-8"?><a b="1"/>', '{"b": 1.0, "a": null}', 'ok', '(1,sad,"a,b")',
   array[row(1,'ok','x')::spot, null], '{1.5,NULL}', '{{a,"b c"},{NULL,"NULL"}}', '12:00+01', '10.0.0.1/8', 12.34,
   '[1,5)', B'101'),
  (2, 'NaN', NULL, 'NaN', '-Infinity', 'infinity', '-infinity', '0', '', '', NULL, '[]', NULL, NULL, '{}', '{}', '{}',
   NULL, '::1', -1, 'empty', ''),
  (3, 'Infinity', 0, 0, 0, '-infinity', '2024-01-01', '-1 year', NULL, NULL, '<b/>', 'null', 'sad', '(,,)', NULL, NULL,
   NULL, '00:00:00-15:59', NULL, NULL, NULL, NULL)`;

/** Values that are close to those of row 1, or equal by their type's own comparison, and not the same. */
const OTHER_VALUES: [column: string, value: string][] = [
  ['n', '1.11'],
  ['p', 'NULL'],
  ['f', '0.1000000001'],
  ['r', '0.100001'],
  ['t', "'2024-02-29 12:00:00.123457+02'"],
  ['d', "'0044-03-15'"],
  ['i', "'28 days 3:04:05.6'"],
  ['b', "'\\x00fe'"],
  ['c', "' ab'"],
  ['x', '\'<a b="2"/>\''],
  ['j', '\'{"b": 1.0}\''],
  ['e', "'sad'"],
  ['s', `'(1,sad,"a,c")'`],
  ['sa', "array[null, row(1,'ok','x')::spot]"],
  ['na', "'{1.5,0}'"],
  ['na', "'[0:1]={1.5,NULL}'"],
  ['na', "'{}'"],
  ['na', 'NULL'],
  ['ar', `'{{a,"b c"},{NULL,NULL}}'`],
  ['tz', "'11:00+00'"],
  ['ip', "'10.0.0.1/9'"],
  ['m', '12.35::money'],
  ['rg', "'[1,6)'"],
  ['bt', "B'1010'"],
];

describe('equal tables', () => {
  test('pass, whatever scale, padding, sign of zero, column order, physical order and settings', async () => {
    await using pair = await makePair({ fixture: 'empty', sql: SCHEMA });
    await pair.source.query(KINDS);
    await pair.target.query(KINDS);
    // The same values in another form: scale, -0, wider char, declaration of xml, columns in another order, no generated column.
    await pair.target.query(`
      ALTER TABLE kinds DROP COLUMN g;
      ALTER TABLE kinds DROP COLUMN b, ADD COLUMN b bytea, ALTER COLUMN c TYPE char(20), ALTER COLUMN id TYPE bigint;
      UPDATE kinds SET b = '\\x00ff' WHERE id = 1; UPDATE kinds SET b = '' WHERE id = 2;
      UPDATE kinds SET n = 1.1000, p = 2.5, x = '<a b="1"/>' WHERE id = 1;
      UPDATE kinds SET f = '-0', r = '-0' WHERE id = 3;
      UPDATE kinds SET na = '{1.500,NULL}' WHERE id = 1;
      ALTER TABLE nested ALTER COLUMN ca TYPE char(9)[];
      ALTER DATABASE "${pair.target.database}" SET DateStyle = 'SQL, DMY';
      ALTER DATABASE "${pair.target.database}" SET IntervalStyle = 'sql_standard';
      ALTER DATABASE "${pair.target.database}" SET TimeZone = 'Asia/Kathmandu';
      ALTER DATABASE "${pair.target.database}" SET extra_float_digits = -5;
      ALTER DATABASE "${pair.target.database}" SET bytea_output = 'escape'`);
    await pair.source.query(`${nestedRow(1, 1)}; INSERT INTO nested VALUES (2)`);
    await pair.target.query(`${nestedRow(1, 2)}; INSERT INTO nested VALUES (2)`);
    await pair.source.query(`INSERT INTO spans VALUES ('[1.0,2.0)', '{1.0,2.0}', 'v')`);
    await pair.target.query(`INSERT INTO spans VALUES ('[1,2)', '{1,2}', 'v')`);
    const result = await verify(pair, ['public.kinds', 'public.nested', 'public.spans']);
    expect(result.tables.map(({ keys }) => keys)).toEqual([[], [], []]);
    expect(result.tables[0]).toMatchObject({ verdict: 'pass', rows: { source: 3, target: 3 }, differing: 0 });
    expect(result.findings.map(({ verdict, severity }) => [verdict, severity])).toEqual(
      Array.from({ length: 3 }, () => ['pass', 'info']),
    );
    // Keys whose text is not one that their type reads back are found all the same.
    await pair.target.query(`UPDATE spans SET v = 'other'; INSERT INTO spans VALUES ('empty', '{}', 'v')`);
    const found = await verify(pair, ['public.spans']);
    expect(found.tables[0]!.keys.map(({ kind }) => kind).toSorted()).toEqual(['changed', 'extra']);
  });

  test('one value that differs is found, in a column of any type', async () => {
    await using pair = await makePair({ fixture: 'empty', sql: SCHEMA });
    // One row a column, all like row 1; on the target each row has the other value in its column.
    const rows = OTHER_VALUES.map(([column], i) => ({ column, id: 100 + i }));
    for (const side of [pair.source, pair.target]) {
      await side.query(KINDS);
      for (const { id } of rows)
        await side.query(`INSERT INTO kinds SELECT ${id}, ${VALUE_COLUMNS} FROM kinds WHERE id = 1`);
    }
    for (const [i, [column, value]] of OTHER_VALUES.entries())
      await pair.target.query(`UPDATE kinds SET ${column} = ${value} WHERE id = ${100 + i}`);
    for (const [i, [column, value]] of OTHER_NESTED.entries()) {
      await pair.source.query(nestedRow(i, 1));
      await pair.target.query(`${nestedRow(i, 2)}; UPDATE nested SET ${column} = ${value} WHERE id = ${i}`);
    }
    const nested = await verify(pair, ['public.nested'], { limits: { maxKeysNamed: 100 } });
    const seen = new Set(nested.tables[0]?.keys.map(({ key }) => Number(key['id'])));
    expect(OTHER_NESTED.filter((_, id) => !seen.has(id))).toEqual([]);
    const { tables, findings } = await verify(pair, ['public.kinds'], { limits: { maxKeysNamed: 100 } });
    const named = new Set(tables[0]?.keys.map((key) => `${key.kind} ${key.key['id']}`));
    expect(rows.filter(({ id }) => !named.has(`changed ${id}`))).toEqual([]);
    expect(tables[0]?.differing).toBe(rows.length);
    expect(findings).toMatchObject([{ verdict: 'fail', severity: 'block', code: 'XC-5101' }]);
  });
});

const byKey = (a: { key: object }, b: { key: object }): number =>
  JSON.stringify(a.key) < JSON.stringify(b.key) ? -1 : 1;

describe('planted differences', () => {
  const FILL = `
    INSERT INTO orders SELECT t, g, 'note ' || g FROM unnest('{acme,globex,umbra}'::text[]) t, generate_series(1, 400) g;
    INSERT INTO words SELECT w || g, g FROM unnest('{ä,a,A,ß,z,-a,_b,日本}'::text[]) w, generate_series(1, 50) g;
    INSERT INTO sharp SELECT * FROM words;
    INSERT INTO loose SELECT g % 10, 'v' || g % 20 FROM generate_series(1, 200) g;
    INSERT INTO parts SELECT g, '2024-07-01'::date + g, 'v' || g FROM generate_series(1, 365) g;
    INSERT INTO mooded VALUES ('sad', 1), ('ok', 2)`;
  const filled = async () => {
    const pair = await makePair({ fixture: 'empty', sql: SCHEMA });
    await pair.source.query(FILL);
    // The other physical order, and other partitions.
    await pair.target.query(FILL);
    await pair.target.query(
      'CREATE TABLE o AS SELECT * FROM orders ORDER BY random(); TRUNCATE orders; INSERT INTO orders SELECT * FROM o; DROP TABLE o',
    );
    return pair;
  };

  test('equal tables of every kind of key pass, and a wrong row outside the tenants is not looked at', async () => {
    await using pair = await filled();
    await pair.target.query("DELETE FROM orders WHERE tenant_id = 'umbra'");
    const tenants = { column: 'tenant_id', values: ['acme', 'globex'] };
    const scoped = await verify(pair, ['public.orders'], { tenants });
    expect(scoped.tables).toMatchObject([{ verdict: 'pass', rows: { source: 800, target: 800 } }]);
    const names = ['words', 'sharp', 'loose', 'parts', 'mooded'].map((name) => `public.${name}`);
    const whole = await verify(pair, names, { limits: { chunkRows: 37 } });
    expect(whole.tables.map((table) => [table.table, table.verdict])).toEqual(
      names.map((name) => [name, 'pass']),
    );
    // Keys in byte order and dates are cut into ranges; an ICU collation and an enum are not trusted.
    expect(whole.tables.map((table) => table.chunks.total > 1)).toEqual([false, true, false, true, false]);
  });

  test('a composite key: changed, missing, extra and duplicated tenants, each named with its link', async () => {
    await using pair = await filled();
    await pair.target.query(`
      UPDATE orders SET note = 'x' WHERE tenant_id = 'acme' AND id = 7;
      DELETE FROM orders WHERE tenant_id = 'globex' AND id = 400;
      INSERT INTO orders VALUES ('acme', 401, 'extra'), ('other', 1, 'not ours')`);
    const tenants = { column: 'tenant_id', values: ['acme', 'globex', 'umbra'] };
    for (const limits of [{}, { chunkRows: 100 }]) {
      const { tables } = await verify(pair, ['public.orders'], { tenants, limits });
      expect(tables[0]?.keys.toSorted(byKey)).toEqual([
        { link: linkName('acme'), kind: 'extra', key: { tenant_id: 'acme', id: '401' } },
        { link: linkName('acme'), kind: 'changed', key: { tenant_id: 'acme', id: '7' } },
        { link: linkName('globex'), kind: 'missing', key: { tenant_id: 'globex', id: '400' } },
      ]);
      expect(tables[0]?.links.map((link) => link.verdict)).toEqual(['fail', 'fail', 'pass']);
    }
  });

  test('one tenant is cut by ranges of the id behind its text column', async () => {
    await using pair = await filled();
    await pair.target.query(
      "UPDATE orders SET note = NULL WHERE tenant_id = 'acme' AND id IN (100, 101, 400)",
    );
    const tenants = { column: 'tenant_id', values: ['acme'] };
    const { tables } = await verify(pair, ['public.orders'], { tenants, limits: { chunkRows: 100 } });
    expect(tables[0]?.chunks.total).toBe(5);
    expect(tables[0]?.keys.map((key) => key.key['id'])).toEqual(['100', '101', '400']);
  });

  test('text keys under a collation that the servers may order differently', async () => {
    await using pair = await filled();
    await pair.target.query(`
      ALTER TABLE words ALTER COLUMN word TYPE text COLLATE "de-x-icu";
      UPDATE words SET n = 0 WHERE word = 'ß7'; DELETE FROM words WHERE word = '-a1'; INSERT INTO words VALUES ('Ä1', 1);
      UPDATE sharp SET n = 0 WHERE word = 'ß7'; DELETE FROM sharp WHERE word = '日本50'; INSERT INTO sharp VALUES ('Ä1', 1)`);
    const { tables } = await verify(pair, ['public.words', 'public.sharp'], { limits: { chunkRows: 50 } });
    expect(
      tables.map((table) => table.keys.map((key) => `${key.kind} ${key.key['word']}`).toSorted()),
    ).toEqual([
      ['changed ß7', 'extra Ä1', 'missing -a1'],
      ['changed ß7', 'extra Ä1', 'missing 日本50'],
    ]);
  });

  test('without a key rows count: one of several equal rows is missing, another is there once too often', async () => {
    await using pair = await filled();
    await pair.target.query(`
      DELETE FROM loose WHERE ctid = (SELECT min(ctid) FROM loose WHERE b = 'v3');
      INSERT INTO loose VALUES (1, 'v1')`);
    const { tables } = await verify(pair, ['public.loose']);
    expect(tables[0]).toMatchObject({ verdict: 'fail', differing: 2, rows: { source: 200, target: 200 } });
    expect(tables[0]?.keys.map((key) => key.kind).toSorted()).toEqual(['extra', 'missing']);
    expect(tables[0]?.keys[0]?.key).toHaveProperty('row hash');
  });

  test('a partitioned table is compared through its root, and a duplicate key on the target is found', async () => {
    await using pair = await filled();
    await pair.target.query(`
      DROP TABLE parts_old; ALTER TABLE parts DROP CONSTRAINT parts_pkey;
      CREATE TABLE parts_24 PARTITION OF parts FOR VALUES FROM (MINVALUE) TO ('2025-01-01')`);
    const lost = await verify(pair, ['public.parts']);
    expect(lost.tables[0]).toMatchObject({ verdict: 'fail', rows: { source: 365 } });
    await pair.target.query(`
      INSERT INTO parts SELECT g, '2024-07-01'::date + g, 'v' || g FROM generate_series(1, 365) g
        WHERE '2024-07-01'::date + g < '2025-01-01'`);
    expect((await verify(pair, ['public.parts'])).tables[0]?.verdict).toBe('pass');
    await pair.target.query("INSERT INTO parts VALUES (5, '2024-07-06', 'v5')");
    const twice = await verify(pair, ['public.parts'], { limits: { chunkRows: 100 } });
    expect(twice.tables[0]?.keys).toMatchObject([{ kind: 'extra', key: { id: '5', at: '2024-07-06' } }]);
  });

  test('rows of other tenants are a finding of their own, when asked for', async () => {
    await using pair = await filled();
    const tenants = { column: 'tenant_id', values: ['acme', 'globex'] };
    const { tables, findings } = await verify(pair, ['public.orders'], {
      tenants,
      request: { strays: true },
    });
    expect(tables[0]?.verdict).toBe('pass');
    expect(findings).toMatchObject([{ check: 'verify-rows' }, { code: 'XC-5104', severity: 'warn' }]);
    expect(findings[1]?.seen).toContain('400 rows');
  });

  test('a window limits both sides to rows of its time', async () => {
    await using pair = await filled();
    await pair.target.query("DELETE FROM parts WHERE at < '2024-09-01' OR at >= '2025-03-01'");
    const window = { column: 'at', from: '2024-09-01', to: '2025-03-01' };
    expect((await verify(pair, ['public.parts'], { window })).tables[0]).toMatchObject({
      verdict: 'pass',
      rows: { source: 181, target: 181 },
    });
    await pair.target.query("DELETE FROM parts WHERE at = '2024-09-01'");
    expect((await verify(pair, ['public.parts'], { window })).tables[0]?.keys).toMatchObject([
      { kind: 'missing', key: { at: '2024-09-01' } },
    ]);
  });
});
