/** Rows without a key, what constraints refuse, and rows that move in and out of a filter. */

import { big, type Case } from './case.ts';

const keyless: readonly Case[] = [
  {
    name: 'REPLICA IDENTITY FULL without a key: each change touches exactly one of equal rows',
    way: 'ordered',
    schema: `CREATE TABLE app.t (a int, b text, c json, d point, x xml, n numeric); ALTER TABLE app.t REPLICA IDENTITY FULL`,
    tables: ['app.t'],
    before: `INSERT INTO app.t SELECT 1, NULL, '{"k": 1}', '(1,2)', '<a/>', 1.0 FROM generate_series(1, 6);
             INSERT INTO app.t VALUES (2, 'x', NULL, NULL, NULL, NULL), (2, 'x', NULL, NULL, NULL, NULL), (5, NULL, '{"k":  1}', '(1,2)', NULL, 1.00), (5, NULL, '{"k": 1}', '(1,2)', NULL, 1.0)`,
    changes: [
      'DELETE FROM app.t WHERE ctid IN (SELECT ctid FROM app.t WHERE a = 1 LIMIT 2)',
      "UPDATE app.t SET b = 'changed' WHERE ctid = (SELECT ctid FROM app.t WHERE a = 1 LIMIT 1)",
      "UPDATE app.t SET a = 3 WHERE b = 'x'",
      "INSERT INTO app.t VALUES (4, 'new', '[]', '(0,0)')",
      "DELETE FROM app.t WHERE a = 5 AND n::text = '1.00'",
      'UPDATE app.t SET a = 1 WHERE a = 1',
    ],
  },
  {
    name: 'tables without identity, or with one that identifies nothing, take inserts',
    way: 'ordered',
    schema: `CREATE TABLE app.none (a int, b text); CREATE TABLE app.nothing (a int PRIMARY KEY, b text);
      ALTER TABLE app.nothing REPLICA IDENTITY NOTHING; CREATE TABLE app.later (a int PRIMARY KEY DEFERRABLE, b text)`,
    tables: ['app.none', 'app.nothing', 'app.later'],
    before:
      "INSERT INTO app.none VALUES (1, 'copied'); INSERT INTO app.nothing VALUES (1, 'copied'); INSERT INTO app.later VALUES (1, 'copied')",
    changes: [
      "INSERT INTO app.none SELECT g, 'streamed' FROM generate_series(1, 30) AS g",
      'INSERT INTO app.none VALUES (NULL, NULL), (NULL, NULL)',
      "INSERT INTO app.nothing VALUES (2, 'streamed'); INSERT INTO app.later VALUES (2, 'streamed')",
    ],
  },
];

const constraints: readonly Case[] = [
  {
    name: 'values of unique columns swapped between rows, by deferral and by a detour',
    way: 'falls back',
    schema: `CREATE TABLE app.t (id int PRIMARY KEY, u int UNIQUE DEFERRABLE INITIALLY IMMEDIATE, w int UNIQUE, x int, y text);
      CREATE UNIQUE INDEX ON app.t (x, y) NULLS NOT DISTINCT; CREATE UNIQUE INDEX ON app.t (lower(y)) WHERE x > 5`,
    tables: ['app.t'],
    before: "INSERT INTO app.t SELECT g, g, g, g, 'Y' || g FROM generate_series(1, 10) AS g",
    changes: [
      'BEGIN; SET CONSTRAINTS ALL DEFERRED; UPDATE app.t SET u = 2 WHERE id = 1; UPDATE app.t SET u = 1 WHERE id = 2; COMMIT',
      'BEGIN; UPDATE app.t SET w = -1 WHERE id = 1; UPDATE app.t SET w = 1 WHERE id = 2; UPDATE app.t SET w = 2 WHERE id = 1; COMMIT',
      "BEGIN; UPDATE app.t SET y = 'aside' WHERE id = 6; UPDATE app.t SET y = 'y6' WHERE id = 7; UPDATE app.t SET y = 'y7' WHERE id = 6; COMMIT",
      'BEGIN; DELETE FROM app.t WHERE id = 3; UPDATE app.t SET w = 3, u = 3 WHERE id = 4; INSERT INTO app.t VALUES (3, 4, 4, NULL, NULL); COMMIT',
      'UPDATE app.t SET u = u + 1',
    ],
  },
  {
    name: 'an exclusion constraint whose ranges move',
    way: 'falls back',
    schema: `CREATE TABLE app.t (id int PRIMARY KEY, room int, r int4range, EXCLUDE USING gist (room WITH =, r WITH &&));
      CREATE TABLE app.d (id int PRIMARY KEY, r int4range, EXCLUDE USING gist (r WITH &&) DEFERRABLE)`,
    tables: ['app.t', 'app.d'],
    before:
      "INSERT INTO app.t VALUES (1, 1, '[0,10)'), (2, 1, '[10,20)'); INSERT INTO app.d SELECT id, r FROM app.t",
    changes: [
      "BEGIN; UPDATE app.t SET r = '[100,110)' WHERE id = 1; UPDATE app.t SET r = '[0,10)' WHERE id = 2; UPDATE app.t SET r = '[10,20)' WHERE id = 1; COMMIT",
      "BEGIN; SET CONSTRAINTS ALL DEFERRED; UPDATE app.d SET r = '[10,20)' WHERE id = 1; UPDATE app.d SET r = '[0,10)' WHERE id = 2; COMMIT",
    ],
  },
  {
    name: 'columns of the target’s own, and foreign keys in the wrong order',
    way: 'ordered',
    schema: `CREATE TABLE app.parent (id int PRIMARY KEY); CREATE TABLE app.child (id int PRIMARY KEY, p int REFERENCES app.parent ON DELETE CASCADE);
      CREATE TABLE app.own (id int PRIMARY KEY, v text)`,
    onTarget: "ALTER TABLE app.own ADD note text DEFAULT 'of the target'",
    tables: ['app.parent', 'app.child', 'app.own'],
    before:
      "INSERT INTO app.parent SELECT generate_series(1, 5); INSERT INTO app.child SELECT g, g FROM generate_series(1, 5) AS g; INSERT INTO app.own VALUES (1, 'a'), (2, 'b')",
    changes: [
      'DELETE FROM app.parent WHERE id = 1; INSERT INTO app.parent VALUES (6); INSERT INTO app.child VALUES (6, 6)',
      'BEGIN; UPDATE app.child SET p = 2 WHERE p = 3; DELETE FROM app.parent WHERE id = 3; COMMIT',
      "UPDATE app.own SET id = 10 WHERE id = 1; UPDATE app.own SET v = 'c' WHERE id = 2; INSERT INTO app.own VALUES (3, 'd')",
    ],
  },
];

const filters: readonly Case[] = [
  {
    name: 'rows that move into a tenant, out of it, and between two',
    way: 'ordered',
    schema: `CREATE TABLE app.t (tenant text, id int, n int, body text, u int, PRIMARY KEY (tenant, id));
      CREATE UNIQUE INDEX ON app.t (u);
      CREATE TABLE app.f (tenant text, id int PRIMARY KEY, n int, body text); ALTER TABLE app.f REPLICA IDENTITY FULL;
      CREATE TABLE app.l (tenant text, id int, n int, body text); ALTER TABLE app.l REPLICA IDENTITY FULL`,
    tables: ['app.t', 'app.f', 'app.l'],
    tenants: ['a', 'b'],
    before: `INSERT INTO app.t SELECT tenant, g, 0, ${big('t')} || g || tenant, ascii(tenant) * 100 + g FROM generate_series(1, 9) AS g, unnest('{a,b,c}'::text[]) AS tenant;
      INSERT INTO app.f SELECT tenant, ascii(tenant) * 100 + id, n, body FROM app.t; INSERT INTO app.l SELECT tenant, id, n, body FROM app.t`,
    changes: [
      "UPDATE app.t SET tenant = 'a', id = 11 WHERE tenant = 'c' AND id = 1",
      "UPDATE app.t SET tenant = 'c', id = 11 WHERE tenant = 'a' AND id = 1",
      "UPDATE app.t SET tenant = 'b', id = 12 WHERE tenant = 'a' AND id = 2",
      "UPDATE app.t SET tenant = 'a', id = 13 WHERE tenant = 'c' AND id = 3; DELETE FROM app.t WHERE tenant = 'a' AND id = 13",
      "UPDATE app.t SET tenant = 'a', id = 14 WHERE tenant = 'c' AND id = 4; UPDATE app.t SET n = 5 WHERE id = 14",
      "UPDATE app.t SET tenant = 'a', id = 15 WHERE tenant = 'c' AND id = 5; UPDATE app.t SET tenant = 'b' WHERE id = 15; UPDATE app.t SET tenant = 'c' WHERE id = 15",
      // What the row holds by the time that it is read again is another row's until later in the stream.
      "UPDATE app.t SET tenant = 'a', id = 16 WHERE tenant = 'c' AND id = 6",
      "UPDATE app.t SET u = -1 WHERE tenant = 'a' AND id = 7; UPDATE app.t SET u = 9707 WHERE tenant = 'a' AND id = 16",
      "UPDATE app.t SET u = -2 WHERE tenant = 'a' AND id = 16; UPDATE app.t SET u = 9707 WHERE tenant = 'a' AND id = 7; UPDATE app.t SET u = -1 WHERE tenant = 'a' AND id = 16",
      "UPDATE app.f SET tenant = 'a' WHERE id = ascii('c') * 100 + 1; UPDATE app.f SET tenant = 'c' WHERE id = ascii('a') * 100 + 1; UPDATE app.f SET tenant = 'b' WHERE id = ascii('a') * 100 + 2",
      "BEGIN; UPDATE app.f SET tenant = 'b' WHERE id = ascii('a') * 100 + 3; UPDATE app.f SET tenant = 'a', n = 8 WHERE id = ascii('a') * 100 + 3; COMMIT",
      "UPDATE app.l SET tenant = 'a' WHERE tenant = 'c' AND id < 3; UPDATE app.l SET tenant = 'b' WHERE tenant = 'a' AND id = 3; UPDATE app.l SET tenant = 'c' WHERE tenant = 'b' AND id = 4",
      "DELETE FROM app.l WHERE tenant = 'c'; UPDATE app.l SET n = 3 WHERE id = 9",
    ],
  },
  {
    name: 'a row moves into the filter and takes a unique value that its later self has given back',
    way: 'ordered',
    schema: `CREATE TABLE app.t (tenant text, id int, u int UNIQUE, body text, PRIMARY KEY (tenant, id))`,
    tables: ['app.t'],
    tenants: ['a'],
    before: `INSERT INTO app.t VALUES ('a', 1, 1, NULL), ('c', 2, 2, ${big('m')})`,
    changes: [
      "UPDATE app.t SET tenant = 'a' WHERE id = 2",
      'UPDATE app.t SET u = 3 WHERE id = 1',
      'UPDATE app.t SET u = 1 WHERE id = 2',
    ],
  },
  {
    name: 'TRUNCATE on a filtered link',
    way: 'ordered',
    schema: 'CREATE TABLE app.t (tenant text, id int, PRIMARY KEY (tenant, id))',
    onTarget: "INSERT INTO app.t VALUES ('local', 1)",
    tables: ['app.t'],
    tenants: ['a'],
    before: "INSERT INTO app.t VALUES ('a', 1), ('a', 2), ('b', 1)",
    changes: [
      "INSERT INTO app.t VALUES ('a', 3)",
      'TRUNCATE app.t',
      "INSERT INTO app.t VALUES ('a', 1), ('b', 9)",
    ],
  },
];

export const constraintCases: readonly Case[] = [...keyless, ...constraints, ...filters];
