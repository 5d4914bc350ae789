/** How a change names its row: keys that move, and values that are not sent. */

import { big, type Case } from './case.ts';

const keys: readonly Case[] = [
  {
    name: 'keys that move in chains, are swapped, come back, and are used again',
    way: 'set',
    schema: 'CREATE TABLE app.t (id int PRIMARY KEY, v text)',
    tables: ['app.t'],
    before: "INSERT INTO app.t SELECT g, 'v' || g FROM generate_series(1, 50) AS g",
    changes: [
      'UPDATE app.t SET id = id + 1000 WHERE id <= 10',
      "INSERT INTO app.t VALUES (1, 'again')",
      'DELETE FROM app.t WHERE id = 1',
      "INSERT INTO app.t VALUES (1, 'third')",
      "UPDATE app.t SET v = 'x' WHERE id IN (1, 1002)",
      'DELETE FROM app.t WHERE id > 1005',
      'BEGIN; UPDATE app.t SET id = -1 WHERE id = 11; UPDATE app.t SET id = 11 WHERE id = 12; UPDATE app.t SET id = 12 WHERE id = -1; COMMIT',
      "BEGIN; UPDATE app.t SET id = 500 WHERE id = 13; UPDATE app.t SET v = 'away' WHERE id = 500; UPDATE app.t SET id = 13 WHERE id = 500; COMMIT",
      'BEGIN; UPDATE app.t SET id = 501 WHERE id = 14; UPDATE app.t SET id = 502 WHERE id = 501; UPDATE app.t SET id = 503 WHERE id = 502; COMMIT',
      'UPDATE app.t SET id = 14 WHERE id = 503; UPDATE app.t SET id = 504 WHERE id = 15',
      "BEGIN; DELETE FROM app.t WHERE id = 16; INSERT INTO app.t VALUES (16, 'new'); UPDATE app.t SET id = 17 + 600 WHERE id = 16; INSERT INTO app.t VALUES (16, 'newer'); COMMIT",
      "BEGIN; INSERT INTO app.t VALUES (700, 'short'); UPDATE app.t SET id = 701 WHERE id = 700; DELETE FROM app.t WHERE id = 701; COMMIT",
      'BEGIN; DELETE FROM app.t WHERE id = 20; UPDATE app.t SET id = 20 WHERE id = 21; UPDATE app.t SET id = 21 WHERE id = 22; COMMIT',
    ],
  },
  {
    name: 'keys of two columns that are swapped',
    way: 'set',
    schema: 'CREATE TABLE app.t (b text, n int, a int, PRIMARY KEY (a, b))',
    tables: ['app.t'],
    before: 'INSERT INTO app.t SELECT chr(97 + g % 3), g, g / 3 FROM generate_series(0, 29) AS g',
    changes: [
      "BEGIN; UPDATE app.t SET b = 'z' WHERE b = 'a'; UPDATE app.t SET b = 'a' WHERE b = 'c'; UPDATE app.t SET b = 'c' WHERE b = 'z'; COMMIT",
      'UPDATE app.t SET a = -a WHERE a > 4',
      'UPDATE app.t SET a = -a, n = 0 WHERE a < -6',
    ],
  },
  {
    name: 'identity by an index beside the primary key',
    way: 'falls back',
    schema: `CREATE TABLE app.t (a int PRIMARY KEY, b text NOT NULL, c int NOT NULL, v text); CREATE UNIQUE INDEX t_b ON app.t (c, b);
      ALTER TABLE app.t REPLICA IDENTITY USING INDEX t_b`,
    tables: ['app.t'],
    before: "INSERT INTO app.t SELECT g, 'k' || g, g % 5, 'v' FROM generate_series(1, 20) AS g",
    changes: [
      "UPDATE app.t SET v = 'w' WHERE a < 5",
      "UPDATE app.t SET b = b || 'x' WHERE a > 15",
      'UPDATE app.t SET a = a + 100 WHERE a < 3',
      'BEGIN; UPDATE app.t SET a = -1 WHERE a = 5; UPDATE app.t SET a = 5 WHERE a = 6; UPDATE app.t SET a = 6 WHERE a = -1; COMMIT',
      'DELETE FROM app.t WHERE a = 10',
    ],
  },
  {
    name: 'GENERATED ALWAYS AS IDENTITY: new numbers for the key, and for a column beside it',
    way: 'falls back',
    schema: `CREATE TABLE app.t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);
      CREATE TABLE app.u (id int PRIMARY KEY, seq bigint GENERATED ALWAYS AS IDENTITY, v text);
      CREATE TABLE app.o (id int PRIMARY KEY, seq bigint GENERATED ALWAYS AS IDENTITY)`,
    tables: ['app.t', 'app.u', 'app.o'],
    before: `INSERT INTO app.t (v) SELECT 'v' || g FROM generate_series(1, 9) AS g; INSERT INTO app.o SELECT generate_series(1, 5);
      INSERT INTO app.u (id, v) SELECT g, 'v' || g FROM generate_series(1, 9) AS g`,
    changes: [
      "UPDATE app.t SET id = DEFAULT, v = 'renewed' WHERE id <= 3",
      "UPDATE app.u SET v = 'w' WHERE id = 1",
      'UPDATE app.u SET seq = DEFAULT WHERE id IN (2, 3)',
      'UPDATE app.u SET seq = DEFAULT, id = id + 100 WHERE id = 4',
      "UPDATE app.u SET id = id + 100, v = 'moved' WHERE id = 5",
      'UPDATE app.o SET seq = DEFAULT WHERE id = 2; UPDATE app.o SET id = 20 WHERE id = 3',
      "INSERT INTO app.t (v) VALUES ('new'); INSERT INTO app.u (id, v) VALUES (50, 'new'); DELETE FROM app.t WHERE v = 'v5'",
      "INSERT INTO app.t (id, v) OVERRIDING SYSTEM VALUE VALUES (-5, 'own')",
    ],
  },
];

const generated: Case = {
  name: 'GENERATED ALWAYS AS IDENTITY, applied in the order of the source',
  way: 'ordered',
  schema: `CREATE TABLE app.t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text, body text);
    CREATE TABLE app.f (id int GENERATED ALWAYS AS IDENTITY, v text); ALTER TABLE app.f REPLICA IDENTITY FULL`,
  onTarget: "ALTER TABLE app.t ADD note text DEFAULT 'of the target'",
  tables: ['app.t', 'app.f'],
  before: `INSERT INTO app.t (v, body) SELECT 'v' || g, ${big('n')} || g FROM generate_series(1, 9) AS g; INSERT INTO app.f (v) SELECT v FROM app.t; INSERT INTO app.f (v) VALUES ('v1')`,
  changes: [
    "UPDATE app.f SET id = DEFAULT WHERE v IN ('v1', 'v2'); UPDATE app.f SET v = 'w' WHERE v = 'v3'",
    "UPDATE app.t SET id = DEFAULT WHERE id < 3; UPDATE app.t SET v = 'w' WHERE v = 'v1'; UPDATE app.t SET v = 'x' WHERE id = 5",
    "DELETE FROM app.f WHERE v = 'v1'",
  ],
};

const toast: readonly Case[] = [
  {
    name: 'values that are not sent, merged with other changes of the batch',
    way: 'set',
    schema: 'CREATE TABLE app.t (id int PRIMARY KEY, n int, body text, other text, j jsonb)',
    tables: ['app.t'],
    before: `INSERT INTO app.t SELECT g, 0, ${big('a')} || g, ${big('o')} || g, NULL FROM generate_series(1, 12) AS g`,
    changes: [
      'UPDATE app.t SET n = 1',
      `UPDATE app.t SET body = ${big('b')} WHERE id = 2`,
      'UPDATE app.t SET n = 2 WHERE id = 2',
      `UPDATE app.t SET other = ${big('p')} WHERE id IN (2, 3)`,
      `UPDATE app.t SET body = ${big('d')}, other = NULL WHERE id = 3`,
      `INSERT INTO app.t VALUES (20, 0, ${big('c')}, ${big('e')})`,
      'UPDATE app.t SET n = 7 WHERE id = 20',
      `UPDATE app.t SET other = ${big('f')} WHERE id = 20`,
      `BEGIN; DELETE FROM app.t WHERE id = 4; INSERT INTO app.t VALUES (4, 9, ${big('g')}, NULL); UPDATE app.t SET n = 10 WHERE id = 4; COMMIT`,
      `UPDATE app.t SET body = 'short now' WHERE id = 5; UPDATE app.t SET n = 3 WHERE id = 5`,
      `UPDATE app.t SET j = jsonb_build_object('x', body) WHERE id = 6; UPDATE app.t SET n = 4 WHERE id = 6`,
      'UPDATE app.t SET body = body WHERE id = 7; DELETE FROM app.t WHERE id = 8',
    ],
  },
  {
    name: 'a key changes and its large value is not sent',
    way: 'ordered',
    schema: 'CREATE TABLE app.t (id int PRIMARY KEY, n int, body text)',
    tables: ['app.t'],
    before: `INSERT INTO app.t SELECT g, 0, ${big('a')} || g FROM generate_series(1, 9) AS g`,
    changes: [
      'UPDATE app.t SET id = id + 100 WHERE id = 3',
      'UPDATE app.t SET n = 5 WHERE id = 103',
      'BEGIN; UPDATE app.t SET id = -1 WHERE id = 1; UPDATE app.t SET id = 1 WHERE id = 2; UPDATE app.t SET id = 2 WHERE id = -1; COMMIT',
      `UPDATE app.t SET body = ${big('b')} WHERE id = 4; UPDATE app.t SET id = 104 WHERE id = 4; UPDATE app.t SET id = 4, n = 9 WHERE id = 104`,
      `INSERT INTO app.t VALUES (20, 0, ${big('c')}); UPDATE app.t SET n = 7 WHERE id = 20; UPDATE app.t SET id = 21 WHERE id = 20; UPDATE app.t SET n = 8 WHERE id = 21`,
    ],
  },
  {
    name: 'REPLICA IDENTITY FULL with a key: the old row has what the new one leaves out',
    way: 'set',
    schema:
      'CREATE TABLE app.t (id int PRIMARY KEY, n int, body text); ALTER TABLE app.t REPLICA IDENTITY FULL',
    tables: ['app.t'],
    before: `INSERT INTO app.t SELECT g, 0, ${big('a')} || g FROM generate_series(1, 6) AS g`,
    changes: [
      'UPDATE app.t SET n = 1',
      'UPDATE app.t SET id = 77 WHERE id = 1; UPDATE app.t SET n = 6 WHERE id = 77',
      'DELETE FROM app.t WHERE id = 2',
      `INSERT INTO app.t VALUES (8, 0, ${big('c')}); UPDATE app.t SET n = 3 WHERE id = 8; UPDATE app.t SET id = 9 WHERE id = 8`,
      'BEGIN; UPDATE app.t SET id = -1 WHERE id = 3; UPDATE app.t SET id = 3 WHERE id = 4; UPDATE app.t SET id = 4 WHERE id = -1; COMMIT',
    ],
  },
  {
    name: 'keys so long that the table keeps them out of line',
    way: 'set',
    schema: 'CREATE TABLE app.t (k text PRIMARY KEY, n int)',
    tables: ['app.t'],
    before: `INSERT INTO app.t SELECT left(${big('k')}, 2500) || g, 0 FROM generate_series(1, 6) AS g`,
    changes: [
      'UPDATE app.t SET n = 1',
      `BEGIN; INSERT INTO app.t VALUES (left(${big('x')}, 2600), 5); UPDATE app.t SET n = 6 WHERE n = 5; DELETE FROM app.t WHERE n = 6; COMMIT`,
      `INSERT INTO app.t VALUES (left(${big('y')}, 2600), 15); UPDATE app.t SET n = 16 WHERE n = 15`,
      "UPDATE app.t SET n = 20 WHERE k LIKE '%2'; DELETE FROM app.t WHERE n = 20",
      "UPDATE app.t SET n = 30 WHERE k LIKE '%3'; UPDATE app.t SET k = 'short' WHERE n = 30",
    ],
  },
];

export const identityCases: readonly Case[] = [...keys, generated, ...toast];
