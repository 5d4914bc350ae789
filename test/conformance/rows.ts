/** Files 001 to 014: rows, types, constraints, the initial copy, schemas that differ. */

import { elsewhere, from, notApplicable, RUN, streamed } from './scenario.ts';

const MATRIX = 'test/engine/matrix/matrix.long.test.ts';
const SHAPE_CASES = 'test/engine/matrix/shape-cases.ts';
const SHAPES = 'test/engine/shapes.pg.test.ts';
const OWN_PUBLICATIONS =
  'publications belong to xcrepl: what is sent follows from the rules, and an operator makes none';

const CHANGED = `A large value that is long enough to be stored out of line: `;
const large = (seed: string): string =>
  `(SELECT '${CHANGED}' || string_agg(md5('${seed}' || g), '') FROM generate_series(1, 300) AS g)`;

export const rows = [
  ...from('001_rep_changes', {
    'a table with a primary key: copied, then inserts, updates of keys and values, deletes': streamed({
      schema: 'CREATE TABLE app.c001_keyed (a int PRIMARY KEY, b text)',
      before: 'INSERT INTO app.c001_keyed SELECT g FROM generate_series(1, 20) AS g',
      changes: [
        'INSERT INTO app.c001_keyed SELECT g FROM generate_series(21, 50) AS g',
        'DELETE FROM app.c001_keyed WHERE a > 40',
        'UPDATE app.c001_keyed SET a = -a',
        `UPDATE app.c001_keyed SET b = 'kept' WHERE a % 2 = 0`,
      ],
      tables: { 'app.c001_keyed': 'all' },
    }),
    'a table without identity carries its inserts': streamed({
      schema: 'CREATE TABLE app.c001_none (a int); ALTER TABLE app.c001_none REPLICA IDENTITY NOTHING',
      before: 'INSERT INTO app.c001_none VALUES (1)',
      changes: ['INSERT INTO app.c001_none SELECT g FROM generate_series(1, 10) AS g'],
      tables: { 'app.c001_none': 'all' },
    }),
    'all columns as identity, with rows that are equal to each other and NULLs': streamed({
      schema: `CREATE TABLE app.c001_full (a int, b text); ALTER TABLE app.c001_full REPLICA IDENTITY FULL;
               CREATE TABLE app.c001_full_key (a int PRIMARY KEY, b text); ALTER TABLE app.c001_full_key REPLICA IDENTITY FULL`,
      before: `INSERT INTO app.c001_full SELECT g % 3 FROM generate_series(1, 9) AS g; INSERT INTO app.c001_full_key VALUES (1, 'x'), (2, NULL)`,
      changes: [
        'UPDATE app.c001_full SET a = 10 WHERE a = 1',
        `UPDATE app.c001_full SET b = 'set' WHERE ctid IN (SELECT ctid FROM app.c001_full WHERE a = 2 LIMIT 1)`,
        'DELETE FROM app.c001_full WHERE ctid IN (SELECT ctid FROM app.c001_full WHERE a = 0 LIMIT 1)',
        `UPDATE app.c001_full_key SET b = 'y' WHERE a = 1; DELETE FROM app.c001_full_key WHERE a = 2`,
      ],
      tables: { 'app.c001_full': 'all', 'app.c001_full_key': 'all' },
    }),
    'all columns as identity, with values out of line': streamed({
      schema: `CREATE TABLE app.c001_toast (a int, b text, c text); ALTER TABLE app.c001_toast REPLICA IDENTITY FULL`,
      before: `INSERT INTO app.c001_toast VALUES (1, ${large('one')}, 'x'), (2, ${large('two')}, 'y')`,
      changes: [`UPDATE app.c001_toast SET c = 'z' WHERE a = 1`, 'DELETE FROM app.c001_toast WHERE a = 2'],
      tables: { 'app.c001_toast': 'all' },
    }),
    'columns in another order': streamed({
      schema: 'CREATE TABLE app.c001_order (a int PRIMARY KEY, b text, c numeric)',
      target: 'CREATE TABLE app.c001_order (c numeric, b text, a int PRIMARY KEY)',
      before: `INSERT INTO app.c001_order VALUES (1, 'foo', 1.1)`,
      changes: [
        `INSERT INTO app.c001_order VALUES (2, 'bar', 2.2)`,
        `UPDATE app.c001_order SET b = 'baz', c = 3 WHERE a = 1`,
      ],
      tables: { 'app.c001_order': ['a', 'b', 'c'] },
    }),
    'a key with included columns': streamed({
      schema:
        'CREATE TABLE app.c001_include (a int, b text, CONSTRAINT c001_covering PRIMARY KEY (a) INCLUDE (b))',
      before: `INSERT INTO app.c001_include SELECT g FROM generate_series(1, 50) AS g`,
      changes: ['DELETE FROM app.c001_include WHERE a > 20', 'UPDATE app.c001_include SET a = -a'],
      tables: { 'app.c001_include': 'all' },
    }),
    'a table with no columns': notApplicable(
      'its rows are told apart by nothing, so the table is refused (XC-5311) until the rule leaves it out',
    ),
    'updates and deletes of rows that the target lost: the row is put there again, and counted': RUN,
    'publications that carry some operations only': notApplicable(OWN_PUBLICATIONS),
  }),
  ...from('002_types', {
    'every built-in type, arrays, enums, domains, composites and ranges, copied and streamed': elsewhere(
      MATRIX,
      'changes arrive by the stream: as a set where that is right, else in the order of the source',
    ),
    'sides that print values differently': elsewhere(MATRIX, 'what is there before arrives by the copy'),
  }),
  ...from('003_constraints', {
    'foreign keys of the target are not checked': streamed({
      schema: `CREATE TABLE app.c003_parent (id int PRIMARY KEY); CREATE TABLE app.c003_child (id int PRIMARY KEY, parent int)`,
      target: `CREATE TABLE app.c003_parent (id int PRIMARY KEY);
               CREATE TABLE app.c003_child (id int PRIMARY KEY, parent int REFERENCES app.c003_parent)`,
      before: 'INSERT INTO app.c003_parent VALUES (1); INSERT INTO app.c003_child VALUES (1, 1)',
      changes: ['INSERT INTO app.c003_child VALUES (2, 77)', 'DELETE FROM app.c003_parent'],
      tables: { 'app.c003_parent': 'all', 'app.c003_child': 'all' },
    }),
    'triggers of the target fire only where they are enabled for replicas': RUN,
  }),
  ...from('004_sync', {
    'rows that are there already refuse the copy, and nothing is mixed': elsewhere(
      'test/engine/resume.pg.test.ts',
      'rows that are on the target before the first copy are not copied over',
    ),
    'a copy that was cut off goes on': elsewhere(
      'test/engine/resume.pg.test.ts',
      'a copy cut off after %i chunks goes on under a later snapshot, while the source changes',
    ),
    'streaming without a copy': notApplicable(
      'a link is always copied first: rows that were never compared could differ for ever',
    ),
  }),
  ...from('005_encoding', { 'a target of another encoding': RUN }),
  ...from('006_rewrite', {
    'a rewrite of the table on both sides between changes': elsewhere(
      'test/engine/schema-moves.pg.test.ts',
      'columns that come, widen and go on both sides while it flows stop nothing',
    ),
  }),
  ...from('007_ddl', {
    'schema changes of the source stop with the statement that the target lacks, and go on behind it':
      elsewhere(
        'test/engine/schema-changes.pg.test.ts',
        'each change in turn, with its exact statement, from the same position',
      ),
    'publications and subscriptions altered within transactions': notApplicable(OWN_PUBLICATIONS),
  }),
  ...from('008_diff_schema', {
    'the target has more columns, with defaults of its own, and keeps their values': streamed({
      schema: 'CREATE TABLE app.c008 (a int PRIMARY KEY, b text)',
      target: `CREATE TABLE app.c008 (c timestamptz DEFAULT now(), a int PRIMARY KEY, d bigint DEFAULT 999, b text, e int GENERATED BY DEFAULT AS IDENTITY)`,
      before: `INSERT INTO app.c008 VALUES (1, 'foo'), (2, 'bar')`,
      changes: [
        `UPDATE app.c008 SET b = upper(b)`,
        `INSERT INTO app.c008 VALUES (3, 'baz')`,
        'UPDATE app.c008 SET a = 30 WHERE a = 3',
      ],
      tables: { 'app.c008': ['a', 'b'] },
    }),
    'other names of schemas, tables and columns': elsewhere(
      'test/e2e/mapped-names.pg.test.ts',
      'copied, streamed, verified, emptied and dropped under other names',
    ),
  }),
  ...from('009_matviews', {
    'materialized views come, are refreshed and go beside replicated tables': streamed({
      schema: 'CREATE TABLE app.c009 (a int PRIMARY KEY, b text)',
      before: `INSERT INTO app.c009 VALUES (1, 'one')`,
      changes: [
        'CREATE MATERIALIZED VIEW app.c009_view AS SELECT * FROM app.c009',
        `INSERT INTO app.c009 VALUES (2, 'two')`,
        'REFRESH MATERIALIZED VIEW app.c009_view; DROP MATERIALIZED VIEW app.c009_view',
      ],
      tables: { 'app.c009': 'all' },
    }),
  }),
  ...from('010_truncate', {
    'TRUNCATE alone, of several tables, with CASCADE and RESTART IDENTITY, and rows after it': streamed({
      schema: `CREATE TABLE app.c010_one (a int PRIMARY KEY); CREATE TABLE app.c010_two (a int PRIMARY KEY, one int REFERENCES app.c010_one);
               CREATE TABLE app.c010_seq (a int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY)`,
      before:
        'INSERT INTO app.c010_one VALUES (1), (2); INSERT INTO app.c010_two VALUES (1, 1); INSERT INTO app.c010_seq VALUES (DEFAULT), (DEFAULT)',
      changes: [
        'TRUNCATE app.c010_one CASCADE; INSERT INTO app.c010_one VALUES (7)',
        'TRUNCATE app.c010_seq RESTART IDENTITY; INSERT INTO app.c010_seq VALUES (DEFAULT)',
        'INSERT INTO app.c010_two VALUES (2, 7); TRUNCATE app.c010_one, app.c010_two',
        'BEGIN; INSERT INTO app.c010_one VALUES (8); SAVEPOINT s; TRUNCATE app.c010_one CASCADE; ROLLBACK TO s; COMMIT',
      ],
      tables: { 'app.c010_one': 'all', 'app.c010_two': 'all', 'app.c010_seq': 'all' },
    }),
    'rows of others in the same table stay': elsewhere(
      'test/engine/matrix/constraint-cases.ts',
      'TRUNCATE on a filtered link',
    ),
  }),
  ...from('011_generated', {
    'stored columns are generated on both sides': elsewhere(SHAPE_CASES, 'generated columns and defaults'),
    'stored columns of a table whose identity is all of its columns': elsewhere(
      SHAPE_CASES,
      'generated columns of a table that is identified by all of its values',
    ),
    'publishing generated values into plain columns': notApplicable(
      'precheck warns where only one side generates a column (XC-5317): the target generates its own',
    ),
  }),
  ...from('012_collation', {
    'keys and identities of a collation to which different texts are equal': streamed({
      schema: `CREATE COLLATION app.c012_any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
               CREATE TABLE app.c012_key (a text COLLATE app.c012_any_case PRIMARY KEY, b text);
               CREATE TABLE app.c012_full (a text COLLATE app.c012_any_case, b text); ALTER TABLE app.c012_full REPLICA IDENTITY FULL`,
      before: `INSERT INTO app.c012_key VALUES ('one', 'foo'), ('two', 'bar'); INSERT INTO app.c012_full VALUES ('one', 'a'), ('ONE', 'b')`,
      changes: [
        `UPDATE app.c012_key SET a = 'ONE' WHERE a = 'one'`,
        `UPDATE app.c012_key SET b = 'baz' WHERE a = 'One'`,
        `UPDATE app.c012_full SET b = 'c' WHERE b = 'b'; DELETE FROM app.c012_full WHERE b = 'a'`,
      ],
      tables: { 'app.c012_key': 'all', 'app.c012_full': 'all' },
    }),
  }),
  ...from('013_partition', {
    'rows go to other partitions, by other bounds, or to none on the target; whole tables are emptied':
      elsewhere(SHAPES, 'copied and streamed'),
    'the same, with the run replaced in its middle': elsewhere(
      SHAPES,
      'with the run replaced in the middle of the copy, and of the stream',
    ),
    'publishing leaves by their own names': notApplicable(
      'rows are published under the partitioned table, so that both sides may be partitioned differently',
    ),
    'TRUNCATE of a leaf at the source': notApplicable(
      'PostgreSQL does not send it when rows are published under the root; the changed catalogue and verification show it',
    ),
  }),
  ...from('014_binary', {
    'values in binary': elsewhere(
      MATRIX,
      'changes arrive by the stream: as a set where that is right, else in the order of the source',
    ),
    'values in text, where a type names objects of its server': elsewhere(
      MATRIX,
      'changes arrive by a stream that flows while they are written, as text',
    ),
  }),
];
