/** Types of columns, each with values that are likely to go wrong; values are SQL expressions. */

import type { SeededRandom } from '../../../fixtures/shop/random.ts';

export interface ColumnType {
  readonly name: string;
  readonly value: (random: SeededRandom) => string;
}

/** Made on both sides, in another order on the target, so that their OIDs differ. */
export const OWN_TYPES: readonly string[] = [
  `CREATE TYPE kinds.mood AS ENUM ('sad', 'ok "quoted"', 'größe')`,
  'CREATE DOMAIN kinds.positive AS int CHECK (VALUE > 0)',
  'CREATE TYPE kinds.pair AS (a text, b numeric)',
];

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const TEXTS = [
  '',
  ' ',
  'x',
  'größe',
  '日本語 🐘',
  "it's",
  'back\\slash',
  '\t\n\r',
  '\\N',
  'NULL',
  '{}',
  '"',
  'a'.repeat(300),
];

const text = (random: SeededRandom): string =>
  random.chance(0.6)
    ? `${quoted(random.pick(TEXTS))} || ${quoted(String(random.between(0, 99)))}`
    : quoted(random.pick(TEXTS));

/** Long enough for a place outside of the row, and of a content that does not compress. */
const large = (random: SeededRandom): string =>
  `(SELECT string_agg(md5(${random.between(1, 1e6)}::text || i), '') FROM generate_series(1, ${random.between(70, 400)}) AS i)`;

const oneOf =
  (...values: readonly string[]) =>
  (random: SeededRandom): string =>
    random.pick(values);

const integer =
  (low: number, high: number) =>
  (random: SeededRandom): string =>
    random.chance(0.2) ? String(random.pick([low, high, 0, -1])) : String(random.between(-1000, 1000));

const T = (name: string, value: ColumnType['value']): ColumnType => ({ name, value });

export const LARGE_TEXT = T('text', large);

export const TYPES: readonly ColumnType[] = [
  T('int2', integer(-32768, 32767)),
  T('int4', integer(-2147483648, 2147483647)),
  T('int8', (random) => (random.chance(0.2) ? '-9223372036854775808' : integer(-1e15, 1e15)(random))),
  T('numeric', oneOf('0', '-0.00', "'NaN'", "'Infinity'", '1e30', '-12345.678900', '1e-20')),
  T('numeric(12,3)', (random) => `${random.between(-1e6, 1e6)} / 7.0`),
  T('float4', oneOf('0', "'-0'", "'NaN'", "'-Infinity'", '1.1754944e-38', '3.14159', '0.1')),
  T(
    'float8',
    oneOf('0', "'-0'", "'NaN'", "'Infinity'", '5e-324', '1.7976931348623157e308', '0.1', '2.0 / 3'),
  ),
  T('bool', oneOf('true', 'false')),
  T('text', text),
  T('varchar(400)', text),
  T('char(7)', oneOf("''", "'a'", "' b'", "'größe'")),
  T('bytea', oneOf("'\\x'", "'\\x00'", "'\\xdeadbeef5c00'", "decode(repeat('ff', 300), 'hex')")),
  T('date', oneOf("'2026-01-01'", "'-infinity'", "'infinity'", "'0044-03-15 BC'", "'5874897-12-31'")),
  T('time', oneOf("'00:00'", "'24:00'", "'23:59:59.999999'")),
  T('timetz', oneOf("'00:00+14'", "'23:59:59.999999-12:30'")),
  T('timestamp', oneOf("'infinity'", "'2026-02-28 23:59:59.999999'", "'4713-01-01 00:00 BC'")),
  T('timestamptz', oneOf("'-infinity'", "'2026-03-29 02:30+01'", "'294276-12-31 00:00+00'", "'1900-01-01'")),
  T(
    'interval',
    oneOf("'0'", "'1 year -2 mons 3 days -04:05:06.7'", "'-178000000 years'", "'00:00:00.000001'"),
  ),
  T('uuid', (random) => `md5('${random.between(1, 1e6)}')::uuid`),
  T('json', oneOf(`'{"b": 1, "a": [null]}'`, `'  [1 , 2]'`, `'null'`, `'"\\u00fc"'`)),
  T('jsonb', oneOf(`'{"b": 1.50, "a": "ü"}'`, `'[]'`, `'null'`, `'{"deep": [[[{}]]]}'`)),
  T('inet', oneOf("'::1/64'", "'10.0.0.1'", "'192.168.0.0/16'")),
  T('macaddr8', oneOf("'08:00:2b:01:02:03:04:05'")),
  T('bit(5)', oneOf("B'10101'", "B'00000'")),
  T('varbit', oneOf("B''", "B'1'", "B'101010101'")),
  T('point', oneOf("'(1,2)'", "'(NaN,-Infinity)'")),
  T('money', oneOf("'-92233720368547758.08'", "'12.34'")),
  T('xml', oneOf("'<a>ü</a>'", "'<b/>'")),
  T('tsvector', oneOf("'a fat:2B cat:3'", "''")),
  T('int4range', oneOf("'[1,5)'", "'empty'", "'(,)'", "'[3,]'")),
  T('datemultirange', oneOf("'{}'", "'{[2026-01-01,2026-02-01),[2027-01-01,)}'")),
  T('text[]', oneOf("'{}'", `'{a,NULL,"NULL",""}'`, `'[0:1][2:3]={{a,b},{"c d",e}}'`)),
  T('int4[]', oneOf("'{}'", "'{1,NULL,-3}'")),
  T('timestamptz[]', oneOf("'{infinity,2026-01-01}'")),
  T('pg_lsn', oneOf("'16/B374D848'", "'0/0'")),
  T('kinds.mood', oneOf("'sad'", `'ok "quoted"'`, "'größe'")),
  T('kinds.mood[]', oneOf("'{sad,NULL,größe}'")),
  T('kinds.positive', oneOf('1', '2147483647')),
  T('kinds.pair', oneOf(`ROW('a,b', 1.5)`, `ROW(NULL, NULL)`, `ROW('"', 'NaN')`)),
  T('kinds.pair[]', oneOf(`ARRAY[ROW('(', 1)::kinds.pair, NULL]`)),
  LARGE_TEXT,
  LARGE_TEXT,
];

/** Columns of a key, as an expression of a row's number. */
export interface KeyType {
  readonly name: string;
  readonly of: (n: string) => string;
}

const K = (name: string, of: KeyType['of']): KeyType => ({ name, of });

export const KEY_TYPES: readonly KeyType[] = [
  K('int4', (n) => `(${n})::int4`),
  K('int8', (n) => `((${n})::int8 - 50) * 1000000007`),
  K('int2', (n) => `((${n}) % 30000)::int2`),
  K('numeric', (n) => `(${n}) / 4.0`),
  K('text', (n) => `'key ' || (${n})`),
  K('varchar(40)', (n) => `md5((${n})::text)`),
  K('char(9)', (n) => `lpad((${n})::text, 9, '0')`),
  K('uuid', (n) => `md5((${n})::text)::uuid`),
  K('date', (n) => `DATE '1999-12-31' + (${n})::int`),
  K('timestamptz', (n) => `TIMESTAMPTZ '2026-03-29 00:00+00' + (${n}) * interval '17 minutes'`),
  K('bytea', (n) => `decode(md5((${n})::text), 'hex')`),
  K('float8', (n) => `(${n}) / 3.0::float8`),
  K('inet', (n) => `'10.0.0.0'::inet + (${n})::int8`),
  K('kinds.positive', (n) => `(${n})::int + 1`),
];

/** Outside of the row although it is a key: an index takes some 2,700 bytes. */
export const LONG_KEY: KeyType = K(
  'text',
  (n) => `(SELECT string_agg(md5((${n})::text || i), '') FROM generate_series(1, 78) AS i)`,
);
