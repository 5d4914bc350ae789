/** Files 024 to 100: what is carried and by whom, refusals, conflicts, and bugs of the past. */

import { elsewhere, from, notApplicable, RUN, streamed } from './scenario.ts';

const OWN_PUBLICATIONS =
  'publications belong to xcrepl: what is sent follows from the rules, and an operator makes none';

const large = (seed: string): string =>
  `(SELECT string_agg(md5('${seed}' || g), '') FROM generate_series(1, 78) AS g)`;

export const choices = [
  ...from('024_add_drop_pub', {
    'links come to a running stream and leave it, and none misses a row': elsewhere(
      'test/e2e/many-tenants.long.test.ts',
      '50 come and 10 go while all of them write, and none misses a row',
    ),
    'publications are added to and dropped from a subscription': notApplicable(OWN_PUBLICATIONS),
  }),
  ...from('025_rep_changes_for_schema', {
    'a rule that names a schema carries each of its tables': elsewhere(
      'test/e2e/scopes.pg.test.ts',
      'each pair of databases has one stream, and each tenant its own rows',
    ),
  }),
  ...from('026_stats', {
    'counters of rows and of errors': elsewhere(
      'test/e2e/run-options.pg.test.ts',
      'the metrics file parses, and has every name that dashboards rely on',
    ),
  }),
  ...from('027_nosuperuser', {
    'a role with the least rights copies and streams': elsewhere(
      'test/e2e/least-privilege.pg.test.ts',
      'with the grants that init prints it copies, streams, stops and drops',
    ),
    'a role that lacks one is refused before anything is made': elsewhere(
      'test/e2e/least-privilege.pg.test.ts',
      'what the role lacks refuses the run before anything is created',
    ),
  }),
  ...from('028_row_filter', {
    'rows move into and out of what is carried': elsewhere(
      'test/engine/matrix/constraint-cases.ts',
      'rows that move into a tenant, out of it, and between two',
    ),
    'a filter by a column outside of the identity is refused before the application is hurt': elsewhere(
      'test/e2e/bad-tables.pg.test.ts',
      '$name: refused with nothing done, and mended by what it says',
    ),
    'filters by any expression': notApplicable(
      'rows are carried by tenant: one column, whose values are compared',
    ),
  }),
  ...from('029_on_error', {
    'a row that the target refuses stops the stream before its transaction, and it goes on once that is mended':
      RUN,
  }),
  ...from('030_origin', {
    'two servers that write to each other': notApplicable(
      'active-active is refused in this version (XC-1007); rows carry an origin, so that they can be told apart',
    ),
  }),
  ...from('031_column_list', {
    'columns that a rule drops never arrive, neither copied nor streamed': elsewhere(
      'test/e2e/redacted-tenant.pg.test.ts',
      'the stream, too; and hashes of copied and of streamed rows meet',
    ),
    'a column that no rule names stops the stream': elsewhere(
      'test/e2e/redacted-tenant.pg.test.ts',
      'a column without a rule holds its link before a byte of it, and with a rule nothing is missing',
    ),
  }),
  ...from('032_subscribe_use_index', {
    'rows are found by all of their values, whatever indexes the target has': streamed({
      schema: `CREATE TABLE app.c032 (a int, b text, c int); ALTER TABLE app.c032 REPLICA IDENTITY FULL`,
      target: `CREATE TABLE app.c032 (a int, b text, c int); CREATE INDEX ON app.c032 (a); CREATE INDEX ON app.c032 (b) WHERE b IS NOT NULL;
               CREATE INDEX ON app.c032 ((c + 1)); ALTER TABLE app.c032 REPLICA IDENTITY FULL`,
      before: `INSERT INTO app.c032 SELECT g % 50, CASE WHEN g % 5 > 0 THEN 'v' || g END, g FROM generate_series(1, 400) AS g`,
      changes: [
        `UPDATE app.c032 SET b = 'updated' WHERE a = 15`,
        'DELETE FROM app.c032 WHERE b IS NULL AND a > 25',
        'UPDATE app.c032 SET a = NULL WHERE c < 20',
        'DELETE FROM app.c032 WHERE a IS NULL AND c % 2 = 0',
      ],
      tables: { 'app.c032': 'all' },
    }),
    'a key of the target that the source does not have': elsewhere(
      'test/e2e/bad-tables.pg.test.ts',
      '$name: refused with nothing done, and mended by what it says',
    ),
  }),
  ...from('033_run_as_table_owner', {
    'rows are written as the owner of their table': notApplicable(
      'rows are written by the role of the DSN, whose rights init prints; row security that would hide rows blocks',
    ),
  }),
  ...from('034_temporal', {
    'periods without overlaps, as primary key, as identity, and beside an identity of all columns': streamed({
      schema: `CREATE TABLE app.c034_key (id int4range, valid_at daterange, a text, PRIMARY KEY (id, valid_at WITHOUT OVERLAPS));
               CREATE TABLE app.c034_index (id int4range NOT NULL, valid_at daterange NOT NULL, a text, CONSTRAINT c034_unique UNIQUE (id, valid_at WITHOUT OVERLAPS));
               ALTER TABLE app.c034_index REPLICA IDENTITY USING INDEX c034_unique;
               CREATE TABLE app.c034_full (id int4range, valid_at daterange, a text, PRIMARY KEY (id, valid_at WITHOUT OVERLAPS));
               ALTER TABLE app.c034_full REPLICA IDENTITY FULL`,
      before: ['key', 'index', 'full']
        .map((name) => `INSERT INTO app.c034_${name} VALUES ('[1,2)', '[2000-01-01,2010-01-01)', 'a')`)
        .join('; '),
      changes: ['key', 'index', 'full'].flatMap((name) => [
        `INSERT INTO app.c034_${name} VALUES ('[2,3)', '[2000-01-01,2010-01-01)', 'a'), ('[3,4)', '[2000-01-01,2010-01-01)', 'a')`,
        `UPDATE app.c034_${name} SET a = 'b' WHERE id = '[2,3)'; DELETE FROM app.c034_${name} WHERE id = '[3,4)'`,
        `UPDATE app.c034_${name} SET valid_at = '[2001-01-01,2010-01-01)' WHERE id = '[1,2)'`,
      ]),
      tables: { 'app.c034_key': 'all', 'app.c034_index': 'all', 'app.c034_full': 'all' },
    }),
  }),
  ...from('035_conflicts', {
    'rows that somebody wrote to the target give way to those of the source': RUN,
    'conflicts are logged by their kind': notApplicable(
      'nobody else writes to the target of a one-way link; what differs all the same is found by verification, by key',
    ),
  }),
  ...from('036_sequences', {
    'sequences follow, and never go back': elsewhere(
      'test/engine/sequences.pg.test.ts',
      'to the source’s value and the head start, never back, and never past the end',
    ),
  }),
  ...from('038_walsnd_shutdown_timeout', {
    'a source that shuts down does not wait for its readers': notApplicable(
      'a setting of the server; a source that ends the stream is waited for and read on from the checkpoint',
    ),
  }),
  ...from('100_bugs', {
    'indexes with predicates and expressions that call functions': streamed({
      schema: `CREATE FUNCTION app.c100_double(x int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT x * 2';
               CREATE TABLE app.c100_index (a int PRIMARY KEY, b int); CREATE INDEX ON app.c100_index (b) WHERE a > app.c100_double(1);
               CREATE INDEX ON app.c100_index (app.c100_double(b))`,
      changes: [
        'INSERT INTO app.c100_index VALUES (1, 2), (5, 6)',
        'UPDATE app.c100_index SET b = 9 WHERE a = 5',
      ],
      tables: { 'app.c100_index': 'all' },
    }),
    'identities whose values lie out of line': streamed({
      schema: `CREATE TABLE app.c100_toast (a text PRIMARY KEY, b text); ALTER TABLE app.c100_toast ALTER a SET STORAGE EXTERNAL`,
      before: `INSERT INTO app.c100_toast VALUES (${large('1')}, '1'), (${large('2')}, '2')`,
      changes: [
        `UPDATE app.c100_toast SET b = '3' WHERE b = '1'`,
        `DELETE FROM app.c100_toast WHERE b = '2'`,
      ],
      tables: { 'app.c100_toast': 'all' },
    }),
    'all columns as identity, of which some were dropped, some are generated, and the order differs':
      streamed({
        schema: `CREATE TABLE app.c100_dropped (a int, gone int, b int, sum int GENERATED ALWAYS AS (a + b) STORED); ALTER TABLE app.c100_dropped DROP gone;
               ALTER TABLE app.c100_dropped REPLICA IDENTITY FULL`,
        target: `CREATE TABLE app.c100_dropped (b int, sum int GENERATED ALWAYS AS (a + b) STORED, a int, gone int); ALTER TABLE app.c100_dropped DROP gone;
               ALTER TABLE app.c100_dropped REPLICA IDENTITY FULL`,
        before: 'INSERT INTO app.c100_dropped VALUES (1, 2), (1, 2), (3, 4)',
        changes: [
          'UPDATE app.c100_dropped SET b = 5 WHERE a = 3',
          'DELETE FROM app.c100_dropped WHERE a = 1',
        ],
        tables: { 'app.c100_dropped': ['a', 'b', 'sum'] },
      }),
    'tables that are created and dropped beside the stream': streamed({
      schema: 'CREATE TABLE app.c100_beside (a int PRIMARY KEY)',
      changes: [
        'CREATE TABLE app.c100_brief (a int PRIMARY KEY); INSERT INTO app.c100_brief VALUES (1); DROP TABLE app.c100_brief',
        'INSERT INTO app.c100_beside VALUES (1)',
      ],
      tables: { 'app.c100_beside': 'all' },
    }),
    'publications that are dropped while they are read': elsewhere(
      'test/engine/doctor.pg.test.ts',
      'the doctor and every start of a stream find a gap, and say it in the same words',
    ),
  }),
];
