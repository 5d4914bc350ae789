/** Every built-in type, and every kind of user-defined one that needs no C, with the values at its edges. */

import { big } from './case.ts';

/** Columns by name: the type, and its values as SQL expressions. */
export type Edges = Readonly<Record<string, { readonly type: string; readonly values: readonly string[] }>>;

const texts = (type: string, ...values: readonly string[]): { type: string; values: string[] } => ({
  type,
  values: values.map((value) => `E'${value}'::${type}`),
});

export const NUMBERS: Edges = {
  i2: texts('int2', '-32768', '32767', '0'),
  i4: texts('int4', '-2147483648', '2147483647', '0'),
  i8: texts('int8', '-9223372036854775808', '9223372036854775807', '0'),
  f4: texts('float4', 'NaN', 'Infinity', '-Infinity', '-0', '1.4e-45', '3.4028235e38', '1.1'),
  f8: texts('float8', 'NaN', 'Infinity', '-Infinity', '-0', '5e-324', '1.7976931348623157e308', '0.1'),
  num: {
    type: 'numeric',
    values: [
      ...texts('numeric', 'NaN', 'Infinity', '-Infinity', '0', '0.000', '-0.0', '1e-16383', '-1e131071')
        .values,
      "repeat('9', 900)::numeric",
      "'123456789012345678901234567890.000000000100'::numeric",
    ],
  },
  n102: texts('numeric(10,2)', '1.5', '-99999999.99', 'NaN'),
  coarse: texts('numeric(5,-2)', '12345', '-9999900'),
  fine: texts('numeric(3,5)', '0.00123'),
  m: texts('money', '-92233720368547758.08', '92233720368547758.07', '0', '-12.34'),
  b: texts('bool', 't', 'f'),
};

export const TEXTS: Edges = {
  tx: texts(
    'text',
    '',
    ' ',
    'NULL',
    '{}',
    '()',
    '\\\\N',
    '\\\\.',
    '\\t\\n\\r\\b\\f\\v\\\\',
    '"q" \\\'s\\\' ,;',
    '\\x01\\x02\\x7f',
    '\\uFEFF\\u200f e\\u0301 😀',
  ),
  vc: texts('varchar(9)', '', '123456789', 'größe ☃'),
  c5: texts('char(5)', 'ab', '', 'abcde', 'ü ', '  x'),
  bp: texts('bpchar', 'a  ', ''),
  nm: texts('name', '', 'a name', '"Quoted"'),
  ch: texts('"char"', '', 'x', '\\\\200', '\\\\377'),
  ci: texts('ext.citext', 'CaSe', 'ü'),
  by: {
    type: 'bytea',
    values: [
      "''::bytea",
      "decode((SELECT string_agg(lpad(to_hex(g), 2, '0'), '') FROM generate_series(0, 255) AS g), 'hex')",
    ],
  },
  u: texts('uuid', '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
};

/** Kept out of line, so that a change that leaves them does not send them. */
export const LARGE: Edges = {
  every: {
    type: 'text',
    values: [
      "(SELECT string_agg(chr(g), '') FROM generate_series(1, 55295) AS g)",
      big('text'),
      "repeat('x', 200000)",
    ],
  },
  bytes: { type: 'bytea', values: [`convert_to(${big('bytea')}, 'UTF8')`, "''::bytea"] },
};

export const TIMES: Edges = {
  d: texts('date', 'infinity', '-infinity', '4714-11-24 BC', '5874897-12-31', '0001-01-01', '2024-02-29'),
  t: texts('time', '00:00', '24:00:00', '23:59:59.999999'),
  t0: texts('time(0)', '12:34:56'),
  tz: texts('timetz', '24:00:00-15:59', '00:00+15:59', '23:59:59.999999+05:30'),
  ts: texts(
    'timestamp',
    'infinity',
    '-infinity',
    '4714-11-24 00:00:00 BC',
    '294276-12-31 23:59:59.999999',
    '2026-01-01 00:00:00.000001',
  ),
  tsz: texts(
    'timestamptz',
    'infinity',
    '-infinity',
    '4714-11-24 00:00:00+00 BC',
    '294276-12-31 23:59:59.999999+00',
    '1883-11-18 12:03:58+00',
    '2026-03-29 01:30+01',
  ),
  ts3: texts('timestamptz(3)', '2026-01-01 00:00:00.123456+00'),
  iv: texts(
    'interval',
    'infinity',
    '-infinity',
    '-178000000 years',
    '1 mon -1 day 00:00:00.000001',
    '-1 day -02:03:04',
    '178956970 years 7 mons 2147483647 days 2562047788 hours 54.775807 secs',
    '0',
    '-1 year -2 mons +3 days -04:05:06.7',
  ),
  ym: texts('interval year to month', '3 years -1 mon'),
  sec: texts('interval second(2)', '1.239'),
};

export const NETS: Edges = {
  ip: texts(
    'inet',
    '::1/64',
    '10.1.2.3/8',
    '0.0.0.0/0',
    '::ffff:1.2.3.4',
    'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128',
  ),
  cd: texts('cidr', '10.0.0.0/8', '2001:db8::/32', '::/0'),
  mac: texts('macaddr', '08:00:2b:01:02:03', 'ff:ff:ff:ff:ff:ff'),
  mac8: texts('macaddr8', '08:00:2b:01:02:03:04:05', '08:00:2b:01:02:03'),
  b5: texts('bit(5)', '10101', '00000'),
  vb: texts('varbit', '', '1', '10101010101010101010101010101010101010101010101010101010101010101'),
};

export const DOCUMENTS: Edges = {
  x: {
    type: 'xml',
    values: [
      "XMLPARSE(CONTENT 'a<b/>c &amp; ü')",
      `XMLPARSE(DOCUMENT '<?xml version="1.0" encoding="UTF-8"?><a> ü </a>')`,
      `XMLPARSE(DOCUMENT '<!DOCTYPE a><a/>')`,
      "XMLPARSE(CONTENT '')",
    ],
  },
  j: texts('json', '{"b": 1,  "b": 2, "a":[null]}', ' null ', '"\\\\u0000"', '1e400', '[1.50]'),
  jb: texts('jsonb', '{"b": 1.50, "a": "ü\\\\n", "": {}}', 'null', '[]', '{}', '1e-400', '"😀"'),
  jp: texts('jsonpath', '$.a[*] ? (@.b > 1 && @.c like_regex "^x")', 'strict $'),
  tv: texts('tsvector', 'a:1A fat:2B,4 cat:3', '', "''it''''s'':5C"),
};

export const SHAPES: Edges = {
  p: texts('point', '(1,2)', '(NaN,Infinity)', '(-0,-Infinity)'),
  ln: texts('line', '{1,2,3}', '{0,1,-5e-324}'),
  ls: texts('lseg', '[(0,0),(1,1)]', '[(-Infinity,0),(NaN,1)]'),
  bx: texts('box', '(1,1),(0,0)', '(Infinity,Infinity),(-Infinity,0)'),
  pa: texts('path', '[(0,0),(1,1)]', '((0,0),(1,1),(2,0))'),
  po: texts('polygon', '((0,0),(1,1),(1,0))', '((Infinity,0))'),
  cr: texts('circle', '<(0,0),1>', '<(1,-Infinity),Infinity>', '<(0,0),NaN>'),
};

export const RANGES: Edges = {
  r4: texts('int4range', '[1,5)', 'empty', '(,)', '[1,)', '(,2147483647)'),
  r8: texts('int8range', '[-9223372036854775808,9223372036854775807)'),
  rn: texts('numrange', '(1.50,2.0]', '[,0)', '[-Infinity,Infinity]'),
  rt: texts('tsrange', '[-infinity,infinity]', '["4714-11-24 00:00:00 BC",)'),
  rz: texts('tstzrange', '[2026-01-01,)', 'empty'),
  rd: texts('daterange', '[-infinity,infinity)', '[2026-01-01,2026-01-01]'),
  mr: texts('int4multirange', '{}', '{(,)}', '{[1,3),[7,9)}'),
  mz: texts('tstzmultirange', '{[2026-01-01,2026-02-01),[infinity,]}'),
  sp: texts('app.span', '[2026-01-01 00:00:00.000001,infinity]', 'empty'),
  ms: texts('app.span_multirange', '{[2026-01-01,2026-01-02)}', '{}'),
  wr: texts('app.words', '["a, b","ü ""q"""]', '(,z)'),
};

export const STRUCTURES: Edges = {
  md: texts('app.mood', 'sad', 'ok "quoted"', 'größe', "it\\'s, \\\\"),
  pi: texts('app.posint', '1', '2147483647'),
  ids: texts('app.ids', '{1,NULL,3}', '{}'),
  pr: {
    type: 'app.pair',
    values: [
      `ROW('ok "quoted"', 7, 'a,b(")')::app.pair`,
      'ROW(NULL, NULL, NULL)::app.pair',
      "ROW('sad', 1, '')::app.pair",
    ],
  },
  dp: { type: 'app.dpair', values: ["ROW('sad', 1, 'x')::app.pair"] },
  ne: {
    type: 'app.nested',
    values: [
      "ROW(ROW('sad', 1, NULL)::app.pair, ARRAY[ROW('größe', 2, E'x\\\\ \"')::app.pair, NULL], '[1,2)')::app.nested",
      'ROW(NULL, ARRAY[]::app.pair[], NULL)::app.nested',
    ],
  },
  na: {
    type: 'app.nested[]',
    values: ["ARRAY[ROW(NULL, ARRAY[ROW('sad', 3, 'y')::app.pair], NULL)::app.nested, NULL]"],
  },
  hs: texts('ext.hstore', 'a=>1, "b c"=>NULL, ""=>""', ''),
};

export const ARRAYS: Edges = {
  ia: texts(
    'int[]',
    '{}',
    '{1,NULL,-3}',
    '{{1,2},{3,4}}',
    '[-1:0][5:6]={{1,NULL},{3,4}}',
    '{NULL}',
    '{{{1}}}',
  ),
  ta: texts('text[]', '{"",NULL,"NULL","a,b","\\\\"q\\\\"","{}"}', '[0:1][2:3]={{a,NULL},{"","NULL"}}'),
  fa: texts('float8[]', '{NaN,-0,Infinity}'),
  na: texts('numeric(6,2)[]', '{1.5,NaN,NULL}'),
  tza: texts('timestamptz[]', '{infinity,2026-01-01 00:00+00}'),
  ba: texts('bytea[]', '{"\\\\\\\\x00ff",NULL}'),
  ca: texts('char(3)[]', '{a,bc}'),
  ja: texts('json[]', '{"{\\\\"a\\\\": 1, \\\\"a\\\\": 2}"}'),
  pa: texts('point[]', '{"(1,2)",NULL}'),
  bxa: texts('box[]', '{(1,1),(0,0);(2,2),(1,1)}'),
  ra: texts('int4range[]', '{"[1,3)",empty}'),
  ma: texts('app.mood[]', '{sad,NULL,größe}'),
  pra: { type: 'app.pair[]', values: ["ARRAY[ROW('sad', 1, 'q\"')::app.pair, NULL]"] },
  da: texts('app.posint[]', '{1,NULL,2}'),
  hsa: texts('ext.hstore[]', '{"a=>1",NULL}'),
};

export const SYSTEM: Edges = {
  o: texts('oid', '0', '4294967295'),
  xi: texts('xid', '3', '4294967295'),
  x8: texts('xid8', '0', '18446744073709551615'),
  cc: texts('cid', '0', '4294967295'),
  ti: texts('tid', '(0,1)', '(4294967295,65535)'),
  ls: texts('pg_lsn', '0/0', 'FFFFFFFF/FFFFFFFF', '16/B374D848'),
  sn: texts('pg_snapshot', '10:20:10,14'),
  tsn: texts('txid_snapshot', '10:20:10,14', '1:1:'),
  rc: texts('refcursor', 'a cursor'),
};

/** Their values name objects, or have no binary form: a stream that carries one sends text. */
export const NAMED: Edges = {
  cl: texts('regclass', 'app.named_k', 'pg_catalog.pg_class', '-'),
  ty: texts('regtype', 'int4', 'app.named_mood'),
  pc: texts('regproc', 'pg_catalog.now'),
  pe: texts('regprocedure', 'pg_catalog.abs(int4)'),
  op: texts('regoperator', '+(int4,int4)'),
  ns: texts('regnamespace', 'app', 'pg_catalog'),
  cf: texts('regconfig', 'pg_catalog.english'),
  di: texts('regdictionary', 'pg_catalog.simple'),
  co: texts('regcollation', '"C"'),
  ro: texts('regrole', '-'),
  tq: texts('tsquery', 'fat & !rat:A <-> (b | c:*)', ''),
  iv: texts('int2vector', '', '1 2 -3'),
  ov: texts('oidvector', '', '1 4294967295'),
  ac: { type: 'aclitem', values: ["makeaclitem(10, 10, 'SELECT', false)"] },
  ra: texts('regclass[]', '{app.named_k,NULL}'),
};

export const USER_TYPES = `
  CREATE TYPE app.mood AS ENUM ('sad', 'ok "quoted"', 'größe', E'it\\'s, \\\\');
  CREATE DOMAIN app.posint AS int CHECK (VALUE > 0);
  CREATE DOMAIN app.ids AS int[] CHECK (array_length(VALUE, 1) < 9);
  CREATE TYPE app.pair AS (m app.mood, n app.posint, t text);
  CREATE DOMAIN app.dpair AS app.pair CHECK ((VALUE).n > 0);
  CREATE TYPE app.nested AS (p app.pair, list app.pair[], r int4range);
  CREATE TYPE app.span AS RANGE (subtype = timestamp, multirange_type_name = app.span_multirange);
  CREATE TYPE app.words AS RANGE (subtype = text, collation = "C");`;
