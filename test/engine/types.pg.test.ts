/** Every kind of type with its edge values, copied and streamed, between databases that are set up differently. */

import { describe, expect, test } from 'vitest';
import type { Pair } from '../harness/pair.ts';
import { expectEqual, pairOf } from './empty-pair.ts';
import { openTestEngine } from './test-engine.ts';

const TYPES = `
  CREATE TYPE app.mood AS ENUM ('sad', 'ok "quoted"', 'größe');
  CREATE DOMAIN app.posint AS int CHECK (VALUE > 0);
  CREATE TYPE app.pair AS (m app.mood, n app.posint, t text);
  CREATE TYPE app.nested AS (p app.pair, list app.pair[]);
  CREATE TYPE app.span AS RANGE (subtype = timestamp);
  CREATE EXTENSION hstore SCHEMA app; CREATE EXTENSION citext SCHEMA app;`;

const TABLE = `CREATE TABLE app.t (
  id int PRIMARY KEY, i2 int2, i8 int8, f4 float4, f8 float8, num numeric, m money, b bool, by bytea,
  c char(5), vc varchar(9), tx text, d date, tm time, tmz timetz, ts timestamp, tsz timestamptz, iv interval, bt bit(5),
  vb varbit, ip inet, cd cidr, mac macaddr, mac8 macaddr8, u uuid, x xml, j json, jb jsonb, tv tsvector, tq tsquery,
  p point, ln line, ls lseg, bx box, pa path, po polygon, ci circle, r4 int4range, rn numrange, rt tstzrange,
  mr int4multirange, sp app.span, md app.mood, po2 app.posint, pr app.pair, ne app.nested, ia int[], ta text[][],
  ma app.mood[], pra app.pair[], da app.posint[], lsn pg_lsn, ch "char", nm name, snap pg_snapshot, hs app.hstore,
  ct app.citext)`;

const EDGES = [
  `INSERT INTO app.t (id, i2, i8, f4, f8, num, ts, tsz, d, iv) VALUES
    (1, -32768, -9223372036854775808, 'NaN', '-Infinity', 'NaN', '-infinity', 'infinity', 'infinity', '-178000000 years'),
    (2, 32767, 9223372036854775807, 'Infinity', 1e-307, 'Infinity', '4713-01-01 00:00:00 BC', '294276-12-31 23:59:59.999999+00', '4713-01-01 BC', '1 mon -1 day 00:00:00.000001'),
    (3, 0, 0, -0.0, -0.0, 123456789012345678901234567890.000000000100, '2026-01-01 00:00:00.000001', '1883-11-18 12:03:58+00', '5874897-12-31', '0')`,
  String.raw`INSERT INTO app.t VALUES (10, 1, 2, 1.1, 0.1, 1.50, -12.34, true, '\x00ff5c27', 'ab', 'größe ☃', E'tab\ttext\n\\N "q" ''s'' 😀',
    '2026-02-28', '24:00:00', '23:59:59.999999-15:59', '2026-01-01', '2026-01-01 12:00+05:30', '1 year 2 mons 3 days 04:05:06.7', B'10101',
    B'', '::1/64', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '<a>ü</a>',
    '{"b": 1, "a": [null]}', '{"b": 1.50, "a": "\u00fc"}', 'a fat:2B cat:3', 'fat & !rat:A', '(1,2)', '{1,2,3}', '[(0,0),(1,1)]',
    '(1,1),(0,0)', '[(0,0),(1,1)]', '((0,0),(1,1),(1,0))', '<(0,0),1>', '[1,5)', 'empty', '[2026-01-01,)', '{[1,3),[7,9)}',
    '[2026-01-01,infinity]', 'ok "quoted"', 5, ROW('ok "quoted"', 7, 'a,b')::app.pair,
    ROW(ROW('sad', 1, NULL)::app.pair, ARRAY[ROW('größe', 2, 'x')::app.pair, NULL])::app.nested, '{1,NULL,-3}',
    '[0:1][2:3]={{a,NULL},{"","NULL"}}', '{sad,NULL,größe}', ARRAY[ROW('sad', 1, 'q"')::app.pair, NULL], '{1,NULL,2}', '16/B374D848',
    'x', 'a name', '10:20:10,14', 'a=>1, "b c"=>NULL', 'CaSe')`,
];

const CHANGES = [
  `INSERT INTO app.t SELECT (jsonb_populate_record(t, '{"id": 100}')).* FROM app.t AS t WHERE id = 10`,
  `UPDATE app.t SET f8 = 'NaN', ta = NULL, pr = NULL, jb = 'null', tx = '', ct = 'CASE' WHERE id IN (1, 100)`,
  'UPDATE app.t SET i2 = 5 WHERE id = 3',
  'INSERT INTO app.t (id) VALUES (200)',
];

const run = async (pair: Pair): Promise<{ fallbacks: number; conflicts: number }> => {
  for (const sql of EDGES) await pair.source.query(sql);
  await using engine = await openTestEngine(pair);
  await engine.copyAndStream();
  await expectEqual(pair, ['app.t']);
  for (const sql of CHANGES) await pair.source.query(sql);
  return await engine.catchUp();
};

describe('types', () => {
  test('arrive as they are, in binary and as a set', async () => {
    await using pair = await pairOf(TYPES + TABLE);
    // Other OIDs than the source's: types that were dropped and made again, in another order.
    await pair.target.query(
      `DROP SCHEMA app CASCADE; CREATE SCHEMA app; CREATE TYPE app.other AS ENUM ('x'); ${TYPES}; ${TABLE}`,
    );
    expect(await run(pair)).toMatchObject({ fallbacks: 0, conflicts: 0 });
    await expectEqual(pair, ['app.t']);
    expect((await pair.target.query('SELECT count(*)::int AS n FROM app.t'))[0]).toEqual({ n: 6 });
  });

  test('arrive as they are where both databases print values differently', async () => {
    await using pair = await pairOf(TYPES + TABLE);
    const settings = [
      [
        'source',
        "DateStyle = 'German, DMY'",
        "IntervalStyle = 'sql_standard'",
        "TimeZone = 'Asia/Kathmandu'",
        'extra_float_digits = 0',
        "bytea_output = 'escape'",
      ],
      [
        'target',
        "DateStyle = 'SQL, MDY'",
        "IntervalStyle = 'iso_8601'",
        "TimeZone = 'America/St_Johns'",
        'extra_float_digits = -5',
        "bytea_output = 'hex'",
      ],
    ] as const;
    for (const [side, ...values] of settings)
      for (const value of values)
        await pair[side].query(`ALTER DATABASE "${pair[side].database}" SET ${value}`);
    await run(pair);
    await expectEqual(pair, ['app.t']);
  });

  test('that name objects of the catalogue make their stream one of text', async () => {
    await using pair = await pairOf(
      'CREATE TABLE app.t (id int PRIMARY KEY, rc regclass, rt regtype, v text, by bytea, ia int[])',
    );
    await pair.source.query(
      String.raw`INSERT INTO app.t VALUES (1, 'app.t', 'int4', E'a\tb\\N', '\x00', '{1,NULL}')`,
    );
    await using engine = await openTestEngine(pair);
    await engine.copyAndStream();
    await expectEqual(pair, ['app.t']);
    const changes = [
      String.raw`INSERT INTO app.t VALUES (2, 'pg_class', 'text', '', '\xff', NULL)`,
      `UPDATE app.t SET rc = 'app.t', v = 'x' WHERE id = 2`,
      'UPDATE app.t SET id = 20 WHERE id = 2',
      'DELETE FROM app.t WHERE id = 1',
    ];
    for (const sql of changes) await pair.source.query(sql);
    await engine.catchUp();
    await expectEqual(pair, ['app.t']);
  });

  test('1,600 columns, and none beyond the key', async () => {
    const columns = Array.from({ length: 1599 }, (_, index) => `c${index} int2`).join(', ');
    await using pair = await pairOf(
      `CREATE TABLE app.wide (id int PRIMARY KEY, ${columns}); CREATE TABLE app.bare (id int PRIMARY KEY)`,
    );
    await pair.source.query(
      'INSERT INTO app.wide (id, c0, c1598) SELECT g, g, -g FROM generate_series(1, 20) AS g; INSERT INTO app.bare SELECT generate_series(1, 20)',
    );
    await using engine = await openTestEngine(pair);
    await engine.copyAndStream();
    await pair.source.query(
      'UPDATE app.wide SET c700 = id WHERE id < 10; INSERT INTO app.wide (id) VALUES (99); DELETE FROM app.bare WHERE id = 3; INSERT INTO app.bare VALUES (99); UPDATE app.bare SET id = 1000 WHERE id = 1',
    );
    await engine.catchUp();
    await expectEqual(pair, ['app.wide', 'app.bare']);
  });
});
