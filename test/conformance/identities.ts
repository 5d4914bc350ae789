/** Files 001, 032 and 100 once more: by what a row is found, and what becomes of it when that changes. */

import { from, notApplicable, RUN, streamed } from './scenario.ts';

const text = (seed: string): string =>
  `(SELECT string_agg(md5('${seed}' || g), '') FROM generate_series(1, 300) AS g)`;

export const identities = [
  ...from('001_rep_changes', {
    'an identity that becomes all columns while it streams, another index, and the key again': streamed({
      schema: 'CREATE TABLE app.c001_moving (a int PRIMARY KEY, b int NOT NULL UNIQUE, c text)',
      before: `INSERT INTO app.c001_moving SELECT g, -g, 'old' FROM generate_series(1, 20) AS g`,
      changes: [
        `UPDATE app.c001_moving SET c = 'key' WHERE a < 5`,
        'ALTER TABLE app.c001_moving REPLICA IDENTITY FULL',
        `UPDATE app.c001_moving SET c = 'full' WHERE a < 3; DELETE FROM app.c001_moving WHERE a = 7`,
        'ALTER TABLE app.c001_moving REPLICA IDENTITY USING INDEX c001_moving_b_key',
        `UPDATE app.c001_moving SET a = a + 100 WHERE b < -15; UPDATE app.c001_moving SET b = 5 WHERE b = -3; DELETE FROM app.c001_moving WHERE b = -8`,
        'ALTER TABLE app.c001_moving REPLICA IDENTITY DEFAULT',
        `UPDATE app.c001_moving SET a = -a WHERE a > 100; DELETE FROM app.c001_moving WHERE a = 9`,
      ],
      tables: { 'app.c001_moving': 'all' },
    }),
    'tables that no rule names stay as they are': streamed({
      schema: `CREATE TABLE app.c001_carried (a int PRIMARY KEY); CREATE SCHEMA c001; CREATE TABLE c001.beside (a int PRIMARY KEY)`,
      before: 'INSERT INTO c001.beside VALUES (1); INSERT INTO app.c001_carried VALUES (1)',
      changes: [
        'BEGIN; INSERT INTO app.c001_carried VALUES (2); INSERT INTO c001.beside VALUES (2); UPDATE c001.beside SET a = 3 WHERE a = 1; COMMIT',
        'TRUNCATE c001.beside',
      ],
      tables: { 'app.c001_carried': 'all' },
      gives: { query: 'SELECT a FROM c001.beside', rows: [] },
    }),
    'changes that change nothing, and rows written and removed in one transaction': streamed({
      schema: 'CREATE TABLE app.c001_same (a int PRIMARY KEY, b text)',
      before: `INSERT INTO app.c001_same VALUES (1, 'x'), (2, ${text('same')})`,
      changes: [
        'UPDATE app.c001_same SET b = b',
        `BEGIN; INSERT INTO app.c001_same VALUES (3, 'brief'); UPDATE app.c001_same SET b = 'briefer' WHERE a = 3; DELETE FROM app.c001_same WHERE a = 3; COMMIT`,
        `BEGIN; DELETE FROM app.c001_same WHERE a = 1; INSERT INTO app.c001_same VALUES (1, 'again'); COMMIT`,
        'BEGIN; UPDATE app.c001_same SET a = 9 WHERE a = 2; UPDATE app.c001_same SET a = 2 WHERE a = 9; COMMIT',
        `BEGIN; INSERT INTO app.c001_same SELECT g, 'never' FROM generate_series(10, 500) AS g; ROLLBACK`,
      ],
      tables: { 'app.c001_same': 'all' },
    }),
    'a link that is stopped and begun again, and servers that are reached at another address': RUN,
  }),
  ...from('032_subscribe_use_index', {
    'all columns as identity at the source, of which the target has a key': streamed({
      schema:
        'CREATE TABLE app.c032_key (a int NOT NULL, b text); ALTER TABLE app.c032_key REPLICA IDENTITY FULL',
      target:
        'CREATE TABLE app.c032_key (a int PRIMARY KEY, b text); ALTER TABLE app.c032_key REPLICA IDENTITY FULL',
      before: `INSERT INTO app.c032_key SELECT g, nullif('v' || g % 3, 'v0') FROM generate_series(1, 60) AS g`,
      changes: [
        `UPDATE app.c032_key SET b = 'changed' WHERE a % 4 = 0`,
        'DELETE FROM app.c032_key WHERE b IS NULL',
        'UPDATE app.c032_key SET a = a + 1000 WHERE a > 50',
      ],
      tables: { 'app.c032_key': 'all' },
    }),
    'the order of an index does not matter, nor that it has a column twice, or of the target’s own': streamed(
      {
        schema: 'CREATE TABLE app.c032_order (a int, b int, c int, PRIMARY KEY (a, b))',
        target: `CREATE TABLE app.c032_order (c int, b int, own int DEFAULT 7, a int, PRIMARY KEY (b, a)); CREATE INDEX ON app.c032_order (a, own, a)`,
        before: 'INSERT INTO app.c032_order SELECT g % 5, g, 0 FROM generate_series(1, 50) AS g',
        changes: [
          'UPDATE app.c032_order SET c = 1 WHERE a = 2',
          'UPDATE app.c032_order SET a = b, b = a WHERE b > 40',
          'DELETE FROM app.c032_order WHERE a = 3',
        ],
        tables: { 'app.c032_order': ['a', 'b', 'c'] },
      },
    ),
    'a hundred columns as identity, with large values among them': streamed({
      schema: `CREATE TABLE app.c032_wide (${Array.from({ length: 100 }, (_, at) => `c${at} ${at % 10 === 0 ? 'text' : 'int'}`).join(', ')});
               ALTER TABLE app.c032_wide REPLICA IDENTITY FULL`,
      before: `INSERT INTO app.c032_wide (c0, c1, c10) SELECT ${text('wide')}, g, 'ten' FROM generate_series(1, 4) AS g`,
      changes: [
        `UPDATE app.c032_wide SET c99 = c1 WHERE c1 < 3; UPDATE app.c032_wide SET c10 = NULL WHERE c1 = 3`,
        'DELETE FROM app.c032_wide WHERE c1 = 4',
      ],
      tables: { 'app.c032_wide': 'all' },
    }),
  }),
  ...from('035_conflicts', {
    'a row that two rows of somebody else are in the way of stops the stream, and it goes on once they are gone':
      RUN,
  }),
  ...from('037_except', {
    'a rule that names a schema, and tables that it leaves out': streamed({
      schema: `CREATE TABLE app.c037_in (a int PRIMARY KEY); CREATE TABLE app.c037_left_out (a int);
               CREATE TABLE app.c037_parts_left_out (a int PRIMARY KEY) PARTITION BY LIST (a); CREATE TABLE app.c037_part PARTITION OF app.c037_parts_left_out DEFAULT`,
      before:
        'INSERT INTO app.c037_in VALUES (1); INSERT INTO app.c037_left_out VALUES (1); INSERT INTO app.c037_parts_left_out VALUES (1)',
      changes: [
        'BEGIN; INSERT INTO app.c037_in VALUES (2); INSERT INTO app.c037_left_out VALUES (2); UPDATE app.c037_left_out SET a = 3; INSERT INTO app.c037_parts_left_out VALUES (2); COMMIT',
        'DELETE FROM app.c037_left_out; UPDATE app.c037_in SET a = 7 WHERE a = 1',
      ],
      tables: { 'app.c037_in': 'all' },
      gives: {
        query: 'SELECT a FROM app.c037_left_out UNION ALL SELECT a FROM app.c037_parts_left_out',
        rows: [],
      },
    }),
  }),
  ...from('100_bugs', {
    'unlogged and temporary tables without any identity, beside what is carried': streamed({
      schema: `CREATE TABLE app.c100_logged (a int PRIMARY KEY, b text)`,
      changes: [
        `CREATE UNLOGGED TABLE app.c100_unlogged (a int); INSERT INTO app.c100_unlogged VALUES (1); UPDATE app.c100_unlogged SET a = 2; DELETE FROM app.c100_unlogged`,
        `CREATE TEMP TABLE brief (a int); INSERT INTO brief VALUES (1); UPDATE brief SET a = 2; DROP TABLE brief`,
        `INSERT INTO app.c100_logged VALUES (1, 'logged')`,
        'DROP TABLE app.c100_unlogged',
      ],
      tables: { 'app.c100_logged': 'all' },
    }),
    'tables of one name in several schemas': streamed({
      schema: `CREATE TABLE app.c100_twin (a int PRIMARY KEY, b text); CREATE SCHEMA c100; CREATE TABLE c100.c100_twin (b int, a int PRIMARY KEY)`,
      before: `INSERT INTO app.c100_twin VALUES (1, 'ours'); INSERT INTO c100.c100_twin VALUES (0, 5)`,
      changes: [
        `BEGIN; UPDATE c100.c100_twin SET b = 7; UPDATE app.c100_twin SET b = 'still ours'; COMMIT`,
        `INSERT INTO c100.c100_twin VALUES (2, 2); INSERT INTO app.c100_twin VALUES (2, 'two')`,
      ],
      tables: { 'app.c100_twin': 'all' },
      gives: { query: 'SELECT count(*)::int AS n FROM c100.c100_twin', rows: [{ n: 0 }] },
    }),
    'an index that names rows is dropped: the application’s own UPDATE fails': notApplicable(
      'PostgreSQL refuses it at the source before anything is written; precheck asks for an identity (XC-5310)',
    ),
  }),
];
