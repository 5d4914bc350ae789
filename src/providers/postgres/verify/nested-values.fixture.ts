/** Values inside values: the same ones written in other forms, and others that look alike. */

export const NESTED_SCHEMA = `
  CREATE DOMAIN amount AS numeric;
  CREATE TYPE leaf AS (n numeric, f float8, c char(4), j jsonb, d amount, m text);
  CREATE TYPE tree AS (l leaf, a numeric[], ls leaf[]);
  CREATE TABLE nested (id int PRIMARY KEY, j jsonb, l leaf, t tree, ta tree[], nr numrange, nm nummultirange,
    da amount[], ca char(4)[], fa float8[], ja jsonb[], k amount);
  CREATE TABLE spans (span numrange, tags numeric[], v text, PRIMARY KEY (span, tags));`;

/** On the source and, in the second form, on the target: by PostgreSQL's own comparison the same. */
export const SAME_VALUES: readonly (readonly [column: string, source: string, target: string])[] = [
  [
    'j',
    `'{"a": 1.50, "s": "1.50", "l": [0.10, 10, 100.00, -2.0], "q\\"1.0": 1.05}'`,
    `'{"s": "1.50", "l": [0.1, 10, 100, -2], "a": 1.5, "q\\"1.0": 1.0500}'`,
  ],
  [
    'l',
    `ROW(1.0, 0, 'ab', '{"n": 1.0}', 2.50, 'x')::leaf`,
    `ROW(1.00, '-0', 'ab  ', '{"n": 1}', 2.5, 'x')::leaf`,
  ],
  [
    't',
    `ROW(ROW(1.0, 1, NULL, NULL, 1, NULL), '{1.0,NULL}', ARRAY[ROW(7.70, NULL, 'a', NULL, NULL, ''), NULL]::leaf[])::tree`,
    `ROW(ROW(1, 1, NULL, NULL, 1.0, NULL), '{1,NULL}', ARRAY[ROW(7.7, NULL, 'a', NULL, NULL, ''), NULL]::leaf[])::tree`,
  ],
  ['ta', `ARRAY[ROW(NULL, '{1.0}', '{}')]::tree[]`, `ARRAY[ROW(NULL, '{1.000}', '{}')]::tree[]`],
  ['nr', `'[1.0,2.50)'`, `'[1,2.5)'`],
  ['nm', `'{[1.0,2.0),[3.50,)}'`, `'{[1,2),[3.5,)}'`],
  ['da', `'{1.10,2}'`, `'{1.1,2.0}'`],
  ['ca', `'{ab,"c,d"}'`, `'{"ab  ","c,d"}'`],
  ['fa', `'{0,NaN,1}'`, `'{-0,NaN,1}'`],
  ['ja', `ARRAY['1.0', '{"x": [2.500]}']::jsonb[]`, `ARRAY['1', '{"x": [2.5]}']::jsonb[]`],
  ['k', '1.0', '1.000'],
];

/** Not the values of the source's first forms. */
export const OTHER_NESTED: readonly (readonly [column: string, target: string])[] = [
  ['j', `'{"a": 1.50, "s": "1.5", "l": [0.10, 10, 100.00, -2.0], "q\\"1.0": 1.05}'`],
  ['j', `'{"a": 1.50, "s": "1.50", "l": [0.10, 1, 100.00, -2.0], "q\\"1.0": 1.05}'`],
  ['j', `'{"a": 1.50, "s": "1.50", "l": [0.10, 10, 100.00, -2.0], "q\\"1.00": 1.05}'`],
  ['l', `ROW(1.01, 0, 'ab', '{"n": 1.0}', 2.50, 'x')::leaf`],
  ['l', `ROW(1.0, 0, 'ab', '{"n": 1.0}', 2.50, NULL)::leaf`],
  ['l', `ROW(NULL, NULL, NULL, NULL, NULL, NULL)::leaf`],
  [
    't',
    `ROW(ROW(1.0, 1, NULL, NULL, 1, NULL), '{1.0,NULL}', ARRAY[NULL, ROW(7.70, NULL, 'a', NULL, NULL, '')]::leaf[])::tree`,
  ],
  ['ta', `ARRAY[ROW(NULL, '{1.0}', NULL)]::tree[]`],
  ['ta', `'[2:2]={"(,{1.0},{})"}'`],
  ['nr', `'[1.0,2.50]'`],
  ['nr', `'[1.0,)'`],
  ['nm', `'{[1.0,2.0)}'`],
  ['da', `'{1.10,3}'`],
  ['ca', `'{ab,c,d}'`],
  ['fa', `'{0,1,NaN}'`],
  ['ja', `ARRAY['"1.0"', '{"x": [2.500]}']::jsonb[]`],
  ['k', 'NULL'],
];

/** @param form which one */
export const nestedRow = (id: number, form: 1 | 2): string =>
  `INSERT INTO nested (id, ${SAME_VALUES.map(([column]) => column).join(', ')}) VALUES (${id}, ${SAME_VALUES.map((each) => each[form]).join(', ')})`;
