/** Partitioned tables and tables that inherit, differently made on the two sides. */

import type { Shape } from './shape.ts';

const moves = (table: string): string[] => [
  `UPDATE ${table} SET region = 'us' WHERE id % 5 = 0`,
  `UPDATE ${table} SET at = at + 400 WHERE id % 7 = 0`,
  `DELETE FROM ${table} WHERE id % 11 = 0`,
  `INSERT INTO ${table} SELECT g, 'xx', DATE '2026-03-01' + g, 'new' FROM generate_series(100, 120) AS g`,
  `UPDATE ${table} SET region = 'eu', at = DATE '2024-01-01' WHERE id BETWEEN 100 AND 105`,
  `UPDATE ${table} SET id = id + 1000 WHERE id < 10`,
];

const rows = (table: string): string =>
  `INSERT INTO ${table} SELECT g, (ARRAY['eu', 'us', 'ap'])[1 + g % 3], DATE '2026-01-01' + g * 5, 'v' || g
     FROM generate_series(1, 60) AS g`;

const columns = 'id int, region text, at date, v text, PRIMARY KEY (id, region, at)';

const byRange = (table: string): string => `
  CREATE TABLE ${table} (${columns}) PARTITION BY RANGE (at);
  CREATE TABLE ${table}_old PARTITION OF ${table} FOR VALUES FROM (MINVALUE) TO ('2026-04-01');
  CREATE TABLE ${table}_new PARTITION OF ${table} FOR VALUES FROM ('2026-04-01') TO ('2026-09-01');
  CREATE TABLE ${table}_default PARTITION OF ${table} DEFAULT`;

const byList = (table: string): string => `
  CREATE TABLE ${table} (${columns}) PARTITION BY LIST (region);
  CREATE TABLE ${table}_eu PARTITION OF ${table} FOR VALUES IN ('eu');
  CREATE TABLE ${table}_us PARTITION OF ${table} FOR VALUES IN ('us');
  CREATE TABLE ${table}_default PARTITION OF ${table} DEFAULT`;

const byHash = (table: string): string => `
  CREATE TABLE ${table} (${columns}) PARTITION BY HASH (id);
  CREATE TABLE ${table}_0 PARTITION OF ${table} FOR VALUES WITH (MODULUS 2, REMAINDER 0);
  CREATE TABLE ${table}_1 PARTITION OF ${table} FOR VALUES WITH (MODULUS 2, REMAINDER 1)`;

/** Range, below it by list, and one leaf whose columns stand in another order than the root's. */
const inLevels = (table: string): string => `
  CREATE TABLE ${table} (${columns}) PARTITION BY RANGE (at);
  CREATE TABLE ${table}_old PARTITION OF ${table} FOR VALUES FROM (MINVALUE) TO ('2026-04-01') PARTITION BY LIST (region);
  CREATE TABLE ${table}_old_eu PARTITION OF ${table}_old FOR VALUES IN ('eu');
  CREATE TABLE ${table}_old_rest PARTITION OF ${table}_old DEFAULT;
  CREATE TABLE ${table}_rest (gone int, v text, at date NOT NULL, region text NOT NULL, id int NOT NULL);
  ALTER TABLE ${table}_rest DROP COLUMN gone;
  ALTER TABLE ${table} ATTACH PARTITION ${table}_rest DEFAULT`;

const plain = (table: string): string => `CREATE TABLE ${table} (${columns})`;

const between = (
  name: string,
  table: string,
  source: (table: string) => string,
  target: (table: string) => string,
): Shape => ({
  name,
  schema: { source: source(table), target: target(table) },
  before: rows(table),
  changes: moves(table),
  same: `SELECT * FROM ${table} ORDER BY 1, 2, 3`,
});

export const partitions: readonly Shape[] = [
  between('by range, and plain on the target', 'app.range_plain', byRange, plain),
  between('plain, and by hash on the target', 'app.plain_hash', plain, byHash),
  between('by range, and by list on the target', 'app.range_list', byRange, byList),
  between('by list, and in two levels on the target', 'app.list_levels', byList, inLevels),
  between('in two levels, and by hash on the target', 'app.levels_hash', inLevels, byHash),
  between('by hash on both sides', 'app.hash_hash', byHash, byHash),
  {
    name: 'inheritance: each table has its own rows, and none is carried twice',
    schema: `
      CREATE TABLE app.parent (id int PRIMARY KEY, v text);
      CREATE TABLE app.child (extra int, PRIMARY KEY (id)) INHERITS (app.parent);
      CREATE TABLE app.grandchild (PRIMARY KEY (id)) INHERITS (app.child)`,
    before: `
      INSERT INTO app.parent SELECT g, 'p' FROM generate_series(1, 9) AS g;
      INSERT INTO app.child SELECT g, 'c', g FROM generate_series(1, 9) AS g;
      INSERT INTO app.grandchild SELECT g, 'g', g FROM generate_series(5, 20) AS g`,
    changes: [
      "UPDATE app.parent SET v = v || '+' WHERE id % 2 = 0",
      'DELETE FROM ONLY app.parent WHERE id = 3',
      "INSERT INTO app.child VALUES (100, 'new', 1)",
      'UPDATE ONLY app.child SET id = id + 500 WHERE id < 4',
      'DELETE FROM app.child WHERE id = 7',
      'TRUNCATE ONLY app.parent',
    ],
    same: `SELECT 'parent' AS t, id, v, 0 AS extra FROM ONLY app.parent UNION ALL SELECT 'child', id, v, extra FROM ONLY app.child
           UNION ALL SELECT 'grandchild', id, v, extra FROM ONLY app.grandchild ORDER BY 1, 2`,
  },
];
