/** Files 003 to 013 and 031 once more: targets that are not made like their source. */

import { elsewhere, from, notApplicable, streamed } from './scenario.ts';

export const targets = [
  ...from('003_constraints', {
    'triggers that leave rows out, that fire for one column, and whole statements': streamed({
      schema: 'CREATE TABLE app.c003_basic (a int PRIMARY KEY, b text, c int)',
      target: `CREATE TABLE app.c003_basic (a int PRIMARY KEY, b text, c int); CREATE TABLE app.c003_fired (what text);
        CREATE FUNCTION app.c003_pick() RETURNS trigger LANGUAGE plpgsql AS
          $$BEGIN IF NEW.a < 10 THEN RETURN NEW; ELSE RETURN NULL; END IF; END$$;
        CREATE FUNCTION app.c003_note() RETURNS trigger LANGUAGE plpgsql AS
          $$BEGIN INSERT INTO app.c003_fired VALUES (TG_ARGV[0]); RETURN NULL; END$$;
        CREATE TRIGGER pick BEFORE INSERT ON app.c003_basic FOR EACH ROW EXECUTE FUNCTION app.c003_pick();
        CREATE TRIGGER of_b AFTER UPDATE OF b ON app.c003_basic FOR EACH ROW EXECUTE FUNCTION app.c003_note('of b');
        CREATE TRIGGER of_row AFTER DELETE ON app.c003_basic FOR EACH ROW EXECUTE FUNCTION app.c003_note('deleted');
        ALTER TABLE app.c003_basic ENABLE REPLICA TRIGGER pick; ALTER TABLE app.c003_basic ENABLE ALWAYS TRIGGER of_b;
        ALTER TABLE app.c003_basic ENABLE REPLICA TRIGGER of_row`,
      before: `INSERT INTO app.c003_basic VALUES (1, 'b', 1), (2, 'b', 2), (3, 'b', 3)`,
      changes: [
        `INSERT INTO app.c003_basic VALUES (4, 'b', 4), (10, 'left out', 0)`,
        `UPDATE app.c003_basic SET b = 'changed' WHERE a = 1`,
        'DELETE FROM app.c003_basic WHERE a = 2',
        'DELETE FROM app.c003_basic WHERE a = 10',
      ],
      tables: { 'app.c003_basic': 'all' },
      gives: {
        query: 'SELECT what, count(*)::int AS times FROM app.c003_fired GROUP BY 1 ORDER BY 1',
        rows: [
          { what: 'deleted', times: 1 },
          { what: 'of b', times: 1 },
        ],
      },
    }),
    'constraints of the target that rows keep to, deferred ones among them': streamed({
      schema: 'CREATE TABLE app.c003_checked (a int PRIMARY KEY, b int NOT NULL, c int)',
      target: `CREATE TABLE app.c003_checked (a int PRIMARY KEY, b int NOT NULL CHECK (b > 0), c int UNIQUE DEFERRABLE INITIALLY DEFERRED)`,
      before: 'INSERT INTO app.c003_checked SELECT g, g, g FROM generate_series(1, 10) AS g',
      changes: ['UPDATE app.c003_checked SET c = c + 1', 'UPDATE app.c003_checked SET c = c - 1, b = b * 2'],
      tables: { 'app.c003_checked': 'all' },
    }),
  }),
  ...from('008_diff_schema', {
    'wider types of the target': streamed({
      schema:
        'CREATE TABLE app.c008_wider (a int PRIMARY KEY, b varchar(10), c real, d smallint, f numeric(6,2))',
      target: `CREATE TABLE app.c008_wider (a bigint PRIMARY KEY, b text, c double precision, d int, f numeric)`,
      before: `INSERT INTO app.c008_wider VALUES (1, 'one', 1.5, 1, 1.25)`,
      changes: [
        `INSERT INTO app.c008_wider VALUES (2, 'two', 2.25, 2, 2.5), (3, NULL, NULL, NULL, NULL)`,
        `UPDATE app.c008_wider SET b = 'changed', d = 7 WHERE a = 1; UPDATE app.c008_wider SET a = 30 WHERE a = 3`,
      ],
      tables: {},
      gives: {
        query: `SELECT concat_ws(' ', a, b, c, d, f) AS row FROM app.c008_wider ORDER BY a`,
        rows: [{ row: '1 changed 1.5 7 1.25' }, { row: '2 two 2.25 2 2.50' }, { row: '30' }],
      },
    }),
    'rows are found by another unique index than the source’s key': streamed({
      schema: 'CREATE TABLE app.c008_index (a int PRIMARY KEY, b text)',
      target:
        'CREATE TABLE app.c008_index (a int NOT NULL, b text); CREATE UNIQUE INDEX ON app.c008_index (a)',
      before: `INSERT INTO app.c008_index VALUES (1, 'one'), (2, 'two')`,
      changes: [
        `UPDATE app.c008_index SET b = 'changed' WHERE a = 1`,
        'UPDATE app.c008_index SET a = 5 WHERE a = 2; DELETE FROM app.c008_index WHERE a = 5',
      ],
      tables: { 'app.c008_index': 'all' },
    }),
    'columns that come on the target alone, with and without a constant default': streamed({
      schema: 'CREATE TABLE app.c008_later (a int PRIMARY KEY)',
      target: `CREATE TABLE app.c008_later (a int PRIMARY KEY); ALTER TABLE app.c008_later ADD at timestamptz NOT NULL DEFAULT clock_timestamp(), ADD n int NOT NULL DEFAULT 9`,
      before: 'INSERT INTO app.c008_later SELECT generate_series(1, 10)',
      changes: ['INSERT INTO app.c008_later VALUES (11)', 'UPDATE app.c008_later SET a = a + 100'],
      tables: { 'app.c008_later': ['a'] },
      gives: {
        query: 'SELECT DISTINCT n, at IS NOT NULL AS filled FROM app.c008_later',
        rows: [{ n: 9, filled: true }],
      },
    }),
  }),
  ...from('010_truncate', {
    'a table of the target alone that refers to one that is emptied keeps its rows': streamed({
      schema: 'CREATE TABLE app.c010_parent (a int PRIMARY KEY)',
      target: `CREATE TABLE app.c010_parent (a int PRIMARY KEY); CREATE TABLE app.c010_own (a int REFERENCES app.c010_parent ON DELETE CASCADE DEFERRABLE)`,
      before: 'INSERT INTO app.c010_parent VALUES (1), (2)',
      changes: [
        'TRUNCATE app.c010_parent CASCADE',
        'INSERT INTO app.c010_parent VALUES (3); TRUNCATE app.c010_parent; INSERT INTO app.c010_parent VALUES (4)',
      ],
      tables: { 'app.c010_parent': 'all' },
    }),
    'TRUNCATE and writes of the same rows in one transaction, and behind a savepoint': streamed({
      schema: 'CREATE TABLE app.c010_mixed (a int PRIMARY KEY, b text)',
      before: `INSERT INTO app.c010_mixed SELECT g, 'old' FROM generate_series(1, 30) AS g`,
      changes: [
        `BEGIN; UPDATE app.c010_mixed SET b = 'lost'; INSERT INTO app.c010_mixed VALUES (40, 'lost'); TRUNCATE app.c010_mixed; INSERT INTO app.c010_mixed VALUES (1, 'kept'); COMMIT`,
        `BEGIN; SAVEPOINT s; TRUNCATE app.c010_mixed; INSERT INTO app.c010_mixed VALUES (2, 'never'); ROLLBACK TO s; UPDATE app.c010_mixed SET b = 'still'; COMMIT`,
        `BEGIN; INSERT INTO app.c010_mixed VALUES (3, 'x'); PREPARE TRANSACTION 'c010'`,
        `COMMIT PREPARED 'c010'`,
      ],
      tables: { 'app.c010_mixed': 'all' },
    }),
  }),
  ...from('013_partition', {
    'partitions on one side only, and other bounds': elsewhere(
      'test/engine/shapes.pg.test.ts',
      'copied and streamed',
    ),
    'a partition that is attached or detached while it streams is noticed and compared': elsewhere(
      'test/e2e/schema-changes.long.test.ts',
      'a partition that is emptied, and one that is detached, are noticed and compared',
    ),
    'triggers of the target’s partitions': streamed({
      schema: `CREATE TABLE app.c013 (a int PRIMARY KEY, b text) PARTITION BY RANGE (a); CREATE TABLE app.c013_low PARTITION OF app.c013 FOR VALUES FROM (MINVALUE) TO (100);
               CREATE TABLE app.c013_high PARTITION OF app.c013 DEFAULT`,
      target: `CREATE TABLE app.c013 (a int PRIMARY KEY, b text) PARTITION BY RANGE (a); CREATE TABLE app.c013_low PARTITION OF app.c013 FOR VALUES FROM (MINVALUE) TO (50);
               CREATE TABLE app.c013_high PARTITION OF app.c013 DEFAULT; CREATE TABLE app.c013_fired (operation text, a int);
               CREATE FUNCTION app.c013_note() RETURNS trigger LANGUAGE plpgsql AS
                 $$BEGIN INSERT INTO app.c013_fired VALUES (TG_OP, coalesce(NEW.a, OLD.a)); RETURN NULL; END$$;
               CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON app.c013_high FOR EACH ROW EXECUTE FUNCTION app.c013_note();
               ALTER TABLE app.c013_high ENABLE ALWAYS TRIGGER note`,
      changes: [
        `INSERT INTO app.c013 VALUES (1, 'low'), (60, 'high')`,
        `UPDATE app.c013 SET b = 'changed'`,
        'DELETE FROM app.c013 WHERE a = 60',
      ],
      tables: { 'app.c013': 'all' },
      gives: {
        query: 'SELECT operation, a FROM app.c013_fired ORDER BY ctid',
        rows: [
          { operation: 'INSERT', a: 60 },
          { operation: 'UPDATE', a: 60 },
          { operation: 'DELETE', a: 60 },
        ],
      },
    }),
  }),
  ...from('028_row_filter', {
    'large values that a move into the filter leaves unsent': elsewhere(
      'test/engine/matrix/constraint-cases.ts',
      'rows that move into a tenant, out of it, and between two',
    ),
    'filters of several publications on one table': elsewhere(
      'test/e2e/many-tenants.long.test.ts',
      '150 tenants by one run, and nobody else’s row',
    ),
  }),
  ...from('029_on_error', {
    'a link that cannot go on stands alone, and the others stream on': elsewhere(
      'test/e2e/errored-tenant.pg.test.ts',
      'the others stream on while it is held, run after run, and status says why',
    ),
    'a transaction that is skipped by its position': notApplicable(
      'nothing is left out without a word: what the target refuses is mended there, or its link is dropped and copied again',
    ),
  }),
  ...from('031_column_list', {
    'columns that the target lacks, left out by the rule': elsewhere(
      'test/engine/shapes/columns.ts',
      'columns that the target lacks: left out by the rule',
    ),
    'lists that differ between publications of one table': notApplicable(
      'PostgreSQL allows one list a table and slot: what some tenants drop and others do not is dropped by the runner, before it is buffered',
    ),
  }),
];
