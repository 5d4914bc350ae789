/** Transactions of every shape: nested, prepared, empty, interleaved, over many tables, around TRUNCATE. */

import { big, type Case } from './case.ts';

const MANY = 40;
const many = Array.from({ length: MANY }, (_, at) => `app.m${at}`);

export const transactionCases: readonly Case[] = [
  {
    name: 'savepoints and what was rolled back to them, nested; rolled back and empty transactions',
    way: 'set',
    schema: 'CREATE TABLE app.t (id int PRIMARY KEY, v text); CREATE TABLE app.u (id int PRIMARY KEY)',
    tables: ['app.t', 'app.u'],
    changes: [
      "BEGIN; INSERT INTO app.t VALUES (1, 'a'); SAVEPOINT s; INSERT INTO app.t VALUES (2, 'b'); ROLLBACK TO s; INSERT INTO app.t VALUES (3, 'c'); SAVEPOINT s2; UPDATE app.t SET v = 'd' WHERE id = 1; RELEASE s2; COMMIT",
      "BEGIN; INSERT INTO app.t VALUES (4, 'no'); ROLLBACK",
      'BEGIN; SELECT pg_current_xact_id(); COMMIT',
      'INSERT INTO app.u VALUES (1)',
      `BEGIN; SAVEPOINT a; INSERT INTO app.t VALUES (10, 'a'); SAVEPOINT b; INSERT INTO app.t VALUES (11, 'b'); SAVEPOINT c; DELETE FROM app.t; ROLLBACK TO c;
       UPDATE app.t SET v = 'kept' WHERE id = 11; RELEASE b; SAVEPOINT d; TRUNCATE app.t; ROLLBACK TO d; INSERT INTO app.u VALUES (2); ROLLBACK TO a; INSERT INTO app.t VALUES (12, 'z'); COMMIT`,
      `DO $$ BEGIN FOR i IN 20..120 LOOP BEGIN INSERT INTO app.t VALUES (i, 'sub'); IF i % 3 = 0 THEN RAISE division_by_zero; END IF;
       EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$`,
    ],
  },
  {
    name: 'prepared transactions, applied at their commit, or never',
    way: 'set',
    schema: 'CREATE TABLE app.t (id int PRIMARY KEY, v text)',
    tables: ['app.t'],
    changes: [
      "BEGIN; INSERT INTO app.t VALUES (1, 'p'); SAVEPOINT s; INSERT INTO app.t VALUES (9, 'gone'); ROLLBACK TO s; PREPARE TRANSACTION 'matrix app 1'",
      "INSERT INTO app.t VALUES (2, 'between')",
      "BEGIN; INSERT INTO app.t VALUES (3, 'never'); PREPARE TRANSACTION 'matrix app 2'",
      "COMMIT PREPARED 'matrix app 1'",
      "UPDATE app.t SET v = 'after' WHERE id = 1",
      "ROLLBACK PREPARED 'matrix app 2'",
      "BEGIN; PREPARE TRANSACTION 'matrix app 3'",
      "COMMIT PREPARED 'matrix app 3'",
    ],
  },
  {
    name: 'transactions that only touch other tenants, or no table of a link',
    way: 'set',
    schema: 'CREATE TABLE app.t (tenant text, id int, v int, PRIMARY KEY (tenant, id))',
    tables: ['app.t'],
    tenants: ['a'],
    before:
      "INSERT INTO app.t SELECT tenant, g, 0 FROM generate_series(1, 5) AS g, unnest('{a,b}'::text[]) AS tenant",
    changes: [
      "UPDATE app.t SET v = 1 WHERE tenant = 'b'",
      "BEGIN; UPDATE app.t SET v = 2 WHERE tenant = 'b'; UPDATE app.t SET v = 3 WHERE tenant = 'a' AND id = 1; DELETE FROM app.t WHERE tenant = 'b'; COMMIT",
      "INSERT INTO app.t SELECT 'b', g, 0 FROM generate_series(1, 500) AS g",
      'CREATE TABLE public.elsewhere_app (id int); INSERT INTO public.elsewhere_app VALUES (1)',
    ],
  },
  {
    name: 'large transactions of several sessions between each other',
    way: 'set',
    schema:
      'CREATE TABLE app.t (id int PRIMARY KEY, v text); CREATE TABLE app.u (id int PRIMARY KEY, v text)',
    tables: ['app.t', 'app.u'],
    changes: [
      "one: BEGIN; INSERT INTO app.t SELECT g, 'one' FROM generate_series(1, 900) AS g",
      "two: BEGIN; INSERT INTO app.t SELECT g, 'two' FROM generate_series(1001, 1900) AS g",
      'three: BEGIN; INSERT INTO app.u SELECT g, md5(g::text) FROM generate_series(1, 900) AS g',
      "one: UPDATE app.t SET v = 'one again' WHERE id < 450; SAVEPOINT s; DELETE FROM app.t WHERE id > 100; ROLLBACK TO s",
      'two: INSERT INTO app.u SELECT g, NULL FROM generate_series(1001, 1500) AS g; COMMIT',
      "INSERT INTO app.t VALUES (5000, 'beside')",
      'three: DELETE FROM app.u WHERE id % 2 = 0; ROLLBACK',
      'one: UPDATE app.t SET id = id + 10000 WHERE id < 200; COMMIT',
    ],
  },
  {
    name: 'a transaction over hundreds of tables',
    way: 'set',
    schema: many.map((table) => `CREATE TABLE ${table} (id int PRIMARY KEY, v int)`).join(';'),
    tables: many.filter((_, at) => at % 8 === 0),
    changes: [
      `BEGIN; ${many.map((table) => `INSERT INTO ${table} VALUES (1, 1), (2, 2)`).join(';')}; COMMIT`,
      `BEGIN; ${many.map((table) => `UPDATE ${table} SET v = 9 WHERE id = 2; DELETE FROM ${table} WHERE id = 1`).join(';')}; COMMIT`,
    ],
  },
  {
    name: 'TRUNCATE between other changes: of several tables, with CASCADE, with RESTART IDENTITY',
    way: 'ordered',
    schema: `CREATE TABLE app.t (id int PRIMARY KEY); CREATE TABLE app.child (id int PRIMARY KEY, t int REFERENCES app.t);
      CREATE TABLE app.s (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text); CREATE TABLE app.l (v text); ALTER TABLE app.l REPLICA IDENTITY FULL`,
    tables: ['app.t', 'app.child', 'app.s', 'app.l'],
    before:
      "INSERT INTO app.t SELECT generate_series(1, 5); INSERT INTO app.child VALUES (1, 1); INSERT INTO app.s (v) SELECT 'v' FROM generate_series(1, 5); INSERT INTO app.l VALUES ('x'), ('x')",
    changes: [
      'INSERT INTO app.t VALUES (6)',
      'TRUNCATE app.t, app.child',
      'INSERT INTO app.t VALUES (1), (99); INSERT INTO app.child VALUES (7, 99)',
      'TRUNCATE app.t CASCADE',
      'INSERT INTO app.t VALUES (1)',
      "BEGIN; INSERT INTO app.s (v) VALUES ('before'); TRUNCATE app.s RESTART IDENTITY; INSERT INTO app.s (v) VALUES ('after'), ('again'); COMMIT",
      "BEGIN; TRUNCATE app.l; INSERT INTO app.l VALUES ('y'), ('y'); DELETE FROM app.l WHERE ctid = (SELECT min(ctid) FROM app.l); TRUNCATE app.l; INSERT INTO app.l VALUES ('z'); COMMIT",
    ],
  },
  {
    name: 'logical messages between changes',
    way: 'set',
    schema: 'CREATE TABLE app.t (id int PRIMARY KEY, body text)',
    tables: ['app.t'],
    changes: [
      "SELECT pg_logical_emit_message(true, 'app', 'a'); SELECT pg_logical_emit_message(false, 'app', 'b')",
      `BEGIN; INSERT INTO app.t VALUES (1, ${big('l')}); SELECT pg_logical_emit_message(true, '', repeat('x', 100000)); SELECT pg_logical_emit_message(false, 'xcrepl', ''); INSERT INTO app.t VALUES (2, NULL); COMMIT`,
      "BEGIN; SELECT pg_logical_emit_message(true, 'xcrepl', 'not ours'); ROLLBACK",
      'UPDATE app.t SET id = 3 WHERE id = 1',
    ],
  },
];
