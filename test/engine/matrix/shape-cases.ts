/** Tables of other shapes: partitioned, with generated columns, and with other columns on the target. */

import type { Case } from './case.ts';

export const shapeCases: readonly Case[] = [
  {
    name: 'a partitioned table, rows that change their partition',
    way: 'set',
    schema: `CREATE TABLE app.t (id int, at date, v text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
      CREATE TABLE app.t_1 PARTITION OF app.t FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
      CREATE TABLE app.t_2 PARTITION OF app.t DEFAULT`,
    tables: ['app.t'],
    before: "INSERT INTO app.t SELECT g, DATE '2026-01-01' + g, 'v' FROM generate_series(1, 300) AS g",
    changes: [
      'UPDATE app.t SET at = at + 180 WHERE id < 50',
      "INSERT INTO app.t VALUES (1000, '2026-02-02', 'n')",
      'DELETE FROM app.t WHERE id % 7 = 0',
    ],
  },
  {
    name: 'generated columns and defaults',
    way: 'set',
    schema: `CREATE TABLE app.t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED,
      d text DEFAULT 'd')`,
    tables: ['app.t'],
    before: 'INSERT INTO app.t (a) SELECT generate_series(1, 9)',
    changes: [
      'UPDATE app.t SET a = a + 1, d = NULL WHERE id < 5',
      'INSERT INTO app.t (a) VALUES (100)',
      'DELETE FROM app.t WHERE id = 3',
    ],
  },
  {
    name: 'generated columns of a table that is identified by all of its values',
    way: 'ordered',
    schema: `CREATE TABLE app.t (id int PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED);
      CREATE TABLE app.u (a int, twice int GENERATED ALWAYS AS (a * 2) STORED) PARTITION BY RANGE (a);
      CREATE TABLE app.u_1 PARTITION OF app.u DEFAULT;
      CREATE TABLE app.plain (id int PRIMARY KEY, a int, half int GENERATED ALWAYS AS (a / 2) STORED);
      ALTER TABLE app.t REPLICA IDENTITY FULL; ALTER TABLE app.u REPLICA IDENTITY FULL; ALTER TABLE app.u_1 REPLICA IDENTITY FULL`,
    tables: ['app.t', 'app.u', 'app.plain'],
    before:
      'INSERT INTO app.t SELECT g, g FROM generate_series(1, 9) AS g; INSERT INTO app.u SELECT g % 3 FROM generate_series(1, 9) AS g; INSERT INTO app.plain VALUES (1, 10), (2, 20)',
    changes: [
      'UPDATE app.t SET a = a + 1; DELETE FROM app.t WHERE id = 4',
      'UPDATE app.u SET a = 7 WHERE ctid = (SELECT ctid FROM app.u WHERE a = 1 LIMIT 1); DELETE FROM app.u WHERE a = 0',
      'UPDATE app.plain SET a = 5 WHERE id = 1; INSERT INTO app.plain VALUES (3, 9)',
    ],
  },
  {
    name: 'columns in another order, and more of them, on the target',
    way: 'ordered',
    schema: 'CREATE TABLE app.t (id int PRIMARY KEY, a text, b int)',
    onTarget:
      "DROP TABLE app.t; CREATE TABLE app.t (own text DEFAULT 'own', b int, id int PRIMARY KEY, a text)",
    tables: ['app.t'],
    before: "INSERT INTO app.t VALUES (1, 'x', 1), (2, 'y', 2)",
    changes: [
      "UPDATE app.t SET a = 'z' WHERE id = 1",
      'UPDATE app.t SET id = 5 WHERE id = 2',
      "INSERT INTO app.t VALUES (7, 'n', 7)",
    ],
  },
];
