/**
 * Kinds of changes, each streamed in one go and once more after a restart in its middle: what the target holds afterwards
 * equals the source, by a comparison of its own.
 */

import { describe, expect, test } from 'vitest';
import { expectEqual, oneTenant, pairOf } from './empty-pair.ts';
import { openTestEngine } from './test-engine.ts';

const big = (seed: string): string =>
  `(SELECT string_agg(md5('${seed}' || g), '') FROM generate_series(1, 400) AS g)`;

interface Scenario {
  readonly name: string;
  readonly schema: string;
  readonly tables: readonly string[];
  readonly before?: string;
  /** Transactions, one statement list each. */
  readonly changes: readonly string[];
  /** Batches that must go in the order of the source: at least one when true, none when false. */
  readonly fallsBack?: boolean;
}

const scenarios: readonly Scenario[] = [
  {
    name: 'primary key updates, deletes and inserts of the same key in one batch',
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
    ],
    fallsBack: false,
  },
  {
    name: 'unchanged TOAST values, also merged within a batch',
    schema: 'CREATE TABLE app.t (id int PRIMARY KEY, n int, body text)',
    tables: ['app.t'],
    before: `INSERT INTO app.t SELECT g, 0, ${big('a')} || g FROM generate_series(1, 5) AS g`,
    changes: [
      'UPDATE app.t SET n = 1',
      `UPDATE app.t SET body = ${big('b')} WHERE id = 2`,
      'UPDATE app.t SET n = 2 WHERE id = 2',
      `INSERT INTO app.t VALUES (9, 0, ${big('c')})`,
      'UPDATE app.t SET n = 7 WHERE id = 9',
      'UPDATE app.t SET id = 19 WHERE id = 9',
    ],
    fallsBack: false,
  },
  {
    name: 'a key changes and its TOAST value does not',
    schema: 'CREATE TABLE app.t (id int PRIMARY KEY, n int, body text)',
    tables: ['app.t'],
    before: `INSERT INTO app.t SELECT g, 0, ${big('a')} || g FROM generate_series(1, 5) AS g`,
    changes: ['UPDATE app.t SET id = id + 100 WHERE id = 3', 'UPDATE app.t SET n = 5 WHERE id = 103'],
  },
  {
    name: 'REPLICA IDENTITY FULL with a key, unchanged TOAST in the new row and its value in the old one',
    schema:
      'CREATE TABLE app.t (id int PRIMARY KEY, n int, body text); ALTER TABLE app.t REPLICA IDENTITY FULL',
    tables: ['app.t'],
    before: `INSERT INTO app.t SELECT g, 0, ${big('a')} || g FROM generate_series(1, 5) AS g`,
    changes: [
      'UPDATE app.t SET n = 1',
      'UPDATE app.t SET id = 77 WHERE id = 1',
      'DELETE FROM app.t WHERE id = 2',
    ],
    fallsBack: false,
  },
  {
    name: 'REPLICA IDENTITY FULL without a key: each change touches exactly one of equal rows',
    schema: 'CREATE TABLE app.t (a int, b text, c json, d point); ALTER TABLE app.t REPLICA IDENTITY FULL',
    tables: ['app.t'],
    before: `INSERT INTO app.t SELECT 1, NULL, '{"k": 1}', '(1,2)' FROM generate_series(1, 6);
             INSERT INTO app.t VALUES (2, 'x', NULL, NULL), (2, 'x', NULL, NULL)`,
    changes: [
      'DELETE FROM app.t WHERE ctid IN (SELECT ctid FROM app.t WHERE a = 1 LIMIT 2)',
      "UPDATE app.t SET b = 'changed' WHERE ctid = (SELECT ctid FROM app.t WHERE a = 1 LIMIT 1)",
      "UPDATE app.t SET a = 3 WHERE b = 'x'",
      "INSERT INTO app.t VALUES (4, 'new', '[]', '(0,0)')",
    ],
  },
  {
    name: 'identity by an index',
    schema: `CREATE TABLE app.t (a int NOT NULL, b text NOT NULL, v text); CREATE UNIQUE INDEX t_b ON app.t (b, a);
             ALTER TABLE app.t REPLICA IDENTITY USING INDEX t_b`,
    tables: ['app.t'],
    before: "INSERT INTO app.t SELECT g, 'k' || g, 'v' FROM generate_series(1, 20) AS g",
    changes: [
      "UPDATE app.t SET v = 'w' WHERE a < 5",
      "UPDATE app.t SET b = b || 'x' WHERE a > 15",
      'DELETE FROM app.t WHERE a = 10',
    ],
    fallsBack: false,
  },
  {
    name: 'a table without identity takes inserts',
    schema: 'CREATE TABLE app.t (a int, b text)',
    tables: ['app.t'],
    before: "INSERT INTO app.t VALUES (1, 'copied')",
    changes: [
      "INSERT INTO app.t SELECT g, 'streamed' FROM generate_series(1, 30) AS g",
      'INSERT INTO app.t VALUES (NULL, NULL), (NULL, NULL)',
    ],
  },
  {
    name: 'values of a unique column swapped between rows, by deferral and by a detour',
    schema:
      'CREATE TABLE app.t (id int PRIMARY KEY, u int UNIQUE DEFERRABLE INITIALLY IMMEDIATE, w int UNIQUE)',
    tables: ['app.t'],
    before: 'INSERT INTO app.t SELECT g, g, g FROM generate_series(1, 10) AS g',
    changes: [
      'BEGIN; SET CONSTRAINTS ALL DEFERRED; UPDATE app.t SET u = 2 WHERE id = 1; UPDATE app.t SET u = 1 WHERE id = 2; COMMIT',
      'BEGIN; UPDATE app.t SET w = -1 WHERE id = 1; UPDATE app.t SET w = 1 WHERE id = 2; UPDATE app.t SET w = 2 WHERE id = 1; COMMIT',
    ],
    fallsBack: true,
  },
  {
    name: 'an exclusion constraint whose ranges move',
    schema: 'CREATE TABLE app.t (id int PRIMARY KEY, r int4range, EXCLUDE USING gist (r WITH &&))',
    tables: ['app.t'],
    before: "INSERT INTO app.t VALUES (1, '[0,10)'), (2, '[10,20)')",
    changes: [
      "BEGIN; UPDATE app.t SET r = '[100,110)' WHERE id = 1; UPDATE app.t SET r = '[0,10)' WHERE id = 2; UPDATE app.t SET r = '[10,20)' WHERE id = 1; COMMIT",
    ],
    fallsBack: true,
  },
  {
    name: 'savepoints, rolled back subtransactions, rolled back and empty transactions',
    schema: 'CREATE TABLE app.t (id int PRIMARY KEY, v text); CREATE TABLE app.u (id int PRIMARY KEY)',
    tables: ['app.t', 'app.u'],
    changes: [
      "BEGIN; INSERT INTO app.t VALUES (1, 'a'); SAVEPOINT s; INSERT INTO app.t VALUES (2, 'b'); ROLLBACK TO s; INSERT INTO app.t VALUES (3, 'c'); SAVEPOINT s2; UPDATE app.t SET v = 'd' WHERE id = 1; RELEASE s2; COMMIT",
      "BEGIN; INSERT INTO app.t VALUES (4, 'no'); ROLLBACK",
      'BEGIN; SELECT 1; COMMIT',
      'INSERT INTO app.u VALUES (1)',
    ],
    fallsBack: false,
  },
  {
    name: 'a prepared transaction, applied at its commit',
    schema: 'CREATE TABLE app.t (id int PRIMARY KEY)',
    tables: ['app.t'],
    changes: [
      "BEGIN; INSERT INTO app.t VALUES (1); PREPARE TRANSACTION 'changes-test'",
      'INSERT INTO app.t VALUES (2)',
      "COMMIT PREPARED 'changes-test'",
    ],
  },
  {
    name: 'TRUNCATE between other changes',
    schema:
      'CREATE TABLE app.t (id int PRIMARY KEY); CREATE TABLE app.child (id int PRIMARY KEY, t int REFERENCES app.t)',
    tables: ['app.t', 'app.child'],
    before: 'INSERT INTO app.t SELECT generate_series(1, 5); INSERT INTO app.child VALUES (1, 1)',
    changes: [
      'INSERT INTO app.t VALUES (6)',
      'TRUNCATE app.t, app.child',
      'INSERT INTO app.t VALUES (1), (99)',
    ],
  },
  {
    name: 'a partitioned table, rows that change their partition',
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
    fallsBack: false,
  },
  {
    name: 'generated columns, identity always, defaults',
    schema:
      `CREATE TABLE app.t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED,
             seq int GENERATED ALWAYS AS IDENTITY)`.replace(', seq int GENERATED ALWAYS AS IDENTITY', ''),
    tables: ['app.t'],
    before: 'INSERT INTO app.t (a) SELECT generate_series(1, 9)',
    changes: [
      'UPDATE app.t SET a = a + 1',
      'INSERT INTO app.t (a) VALUES (100)',
      'DELETE FROM app.t WHERE id = 3',
    ],
    fallsBack: false,
  },
  {
    name: 'generated columns of a table that is identified by all of its values',
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
    name: 'columns in another order and extra columns on the target keep their values',
    schema: 'CREATE TABLE app.t (id int PRIMARY KEY, a text, b int)',
    tables: ['app.t'],
    before: "INSERT INTO app.t VALUES (1, 'x', 1), (2, 'y', 2)",
    changes: [
      "UPDATE app.t SET a = 'z' WHERE id = 1",
      'UPDATE app.t SET id = 5 WHERE id = 2',
      "INSERT INTO app.t VALUES (7, 'n', 7)",
    ],
  },
  {
    name: 'a GENERATED ALWAYS identity beside the key gets a new value',
    schema: 'CREATE TABLE app.t (k text PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, body text)',
    tables: ['app.t'],
    before: `INSERT INTO app.t (k, body) SELECT 'k' || g, ${big('a')} FROM generate_series(1, 5) AS g`,
    changes: ["UPDATE app.t SET body = 'b' WHERE k = 'k1'", "UPDATE app.t SET n = DEFAULT WHERE k <> 'k5'"],
    fallsBack: true,
  },
  {
    name: 'names that need quotes',
    schema: `CREATE TABLE app."Größe ""x"" $1" ("Id" int PRIMARY KEY, "select" text, "weird 'col" text)`,
    tables: [`app."Größe ""x"" $1"`],
    before: `INSERT INTO app."Größe ""x"" $1" VALUES (1, 'a', 'b')`,
    changes: [
      `UPDATE app."Größe ""x"" $1" SET "select" = 'c'`,
      `INSERT INTO app."Größe ""x"" $1" VALUES (2, NULL, '')`,
      `DELETE FROM app."Größe ""x"" $1" WHERE "Id" = 1`,
    ],
    fallsBack: false,
  },
];

describe('changes', () => {
  for (const scenario of scenarios) {
    test(scenario.name, async () => {
      await using pair = await pairOf(scenario.schema);
      if (scenario.before) await pair.source.query(scenario.before);
      const first = await openTestEngine(pair);
      await first.copyAndStream();
      await expectEqual(pair, scenario.tables);
      for (const change of scenario.changes) await pair.source.query(change);
      const streamed = await first.catchUp();
      await first.engine[Symbol.asyncDispose]();
      await expectEqual(pair, scenario.tables);
      expect(streamed.conflicts).toBe(0);
      expect(scenario.fallsBack ?? streamed.fallbacks > 0).toBe(streamed.fallbacks > 0);
    });
  }
});

describe('filtered links', () => {
  test('rows that move into the tenant come whole, with values that the move did not send; rows that move out go', async () => {
    await using pair = await pairOf(
      'CREATE TABLE app.t (tenant text, id int, n int, body text, PRIMARY KEY (tenant, id))',
      oneTenant,
    );
    await pair.source.query(
      `INSERT INTO app.t SELECT 'b', g, 0, ${big('b')} || g FROM generate_series(1, 5) AS g`,
    );
    await pair.source.query(
      `INSERT INTO app.t SELECT 'a', g, 0, ${big('a')} || g FROM generate_series(11, 15) AS g`,
    );
    await using engine = await openTestEngine(pair);
    const { copyAndStream, catchUp } = engine;
    await copyAndStream();
    await pair.source.query("UPDATE app.t SET tenant = 'a' WHERE id = 1");
    await pair.source.query("UPDATE app.t SET tenant = 'b' WHERE id = 11");
    await pair.source.query("UPDATE app.t SET tenant = 'a' WHERE id = 2");
    await pair.source.query('DELETE FROM app.t WHERE id = 2');
    await catchUp();
    await expectEqual(pair, ['app.t'], "tenant = 'a'");
    const strangers = await pair.target.query("SELECT id FROM app.t WHERE tenant <> 'a'");
    expect(strangers).toEqual([]);
  });

  test('a TRUNCATE removes the rows of the link, and no others', async () => {
    await using pair = await pairOf(
      'CREATE TABLE app.t (tenant text, id int, PRIMARY KEY (tenant, id))',
      oneTenant,
    );
    await pair.source.query("INSERT INTO app.t VALUES ('a', 1), ('a', 2), ('b', 1)");
    await pair.target.query("INSERT INTO app.t VALUES ('local', 1)");
    await using engine = await openTestEngine(pair);
    const { copyAndStream, catchUp } = engine;
    await copyAndStream();
    await pair.source.query('TRUNCATE app.t');
    await catchUp();
    expect(await pair.target.query('SELECT tenant, id FROM app.t')).toEqual([{ tenant: 'local', id: 1 }]);
  });
});
