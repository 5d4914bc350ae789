/** Files 015 to 023: large transactions, savepoints, messages, two-phase commit. */

import { elsewhere, from, notApplicable, RUN, streamed } from './scenario.ts';

/** Past logical_decoding_work_mem of the servers of these tests by nothing that a batch would notice. */
const many = (table: string, low: number, high: number): string =>
  `INSERT INTO ${table} SELECT g, md5(g::text) FROM generate_series(${low}, ${high}) AS g`;

const touch = (table: string): string =>
  `UPDATE ${table} SET b = md5(b) WHERE a % 2 = 0; DELETE FROM ${table} WHERE a % 3 = 0`;

const keyed = (table: string): string => `CREATE TABLE ${table} (a int PRIMARY KEY, b text)`;

export const transactions = [
  ...from('015_stream', {
    'large transactions that run beside small ones': RUN,
    'a large transaction of inserts, updates and deletes': streamed({
      schema: keyed('app.c015'),
      before: many('app.c015', 1, 10),
      changes: [
        `BEGIN; ${many('app.c015', 11, 5000)}; ${touch('app.c015')}; COMMIT`,
        `INSERT INTO app.c015 VALUES (-1, 'after')`,
      ],
      tables: { 'app.c015': 'all' },
    }),
    'parallel apply workers': notApplicable('a stream applies whole batches by one session, in order'),
  }),
  ...from('016_stream_subxact', {
    'a large transaction with many savepoints': streamed({
      schema: keyed('app.c016'),
      changes: [
        `BEGIN; ${[0, 1, 2, 3, 4].map((n) => `SAVEPOINT s${n}; ${many('app.c016', n * 1000, n * 1000 + 999)}; ${touch('app.c016')}`).join('; ')}; COMMIT`,
      ],
      tables: { 'app.c016': 'all' },
    }),
  }),
  ...from('017_stream_ddl', {
    'columns added within large transactions, which the target has already': RUN,
  }),
  ...from('018_stream_subxact_abort', {
    'savepoints that are rolled back within a large transaction, also nested ones': streamed({
      schema: keyed('app.c018'),
      changes: [
        `BEGIN; ${many('app.c018', 1, 500)}; SAVEPOINT s1; ${many('app.c018', 501, 1000)}; SAVEPOINT s2; ${many('app.c018', 1001, 1500)};
         ROLLBACK TO s2; ${many('app.c018', 1501, 2000)}; ROLLBACK TO s1; ${many('app.c018', 2001, 2500)}; SAVEPOINT s3; ${touch('app.c018')}; RELEASE s3; COMMIT`,
        `BEGIN; ${many('app.c018', 5000, 6000)}; ROLLBACK`,
      ],
      tables: { 'app.c018': 'all' },
    }),
  }),
  ...from('019_stream_subxact_ddl_abort', {
    'a column added behind a savepoint that is rolled back': streamed({
      schema: keyed('app.c019'),
      changes: [
        `BEGIN; ${many('app.c019', 1, 500)}; SAVEPOINT s1; ALTER TABLE app.c019 ADD COLUMN c int; INSERT INTO app.c019 SELECT g, 'x', g FROM generate_series(501, 600) AS g;
         ROLLBACK TO s1; ${many('app.c019', 601, 700)}; COMMIT`,
      ],
      tables: { 'app.c019': 'all' },
    }),
  }),
  ...from('020_messages', {
    'messages of applications, transactional or not, pass and change nothing': streamed({
      schema: keyed('app.c020'),
      changes: [
        `BEGIN; INSERT INTO app.c020 VALUES (1, 'a'); SELECT pg_logical_emit_message(true, 'theirs', 'within'); INSERT INTO app.c020 VALUES (2, 'b'); COMMIT`,
        `SELECT pg_logical_emit_message(false, 'theirs', 'beside'); BEGIN; SELECT pg_logical_emit_message(true, 'theirs', 'never'); ROLLBACK`,
        `INSERT INTO app.c020 VALUES (3, 'c')`,
      ],
      tables: { 'app.c020': 'all' },
    }),
  }),
  ...from('021_alter_sub_pub', {
    'publications of a subscription are set, added and dropped': notApplicable(
      'publications belong to xcrepl: what is sent follows from the rules',
    ),
  }),
  ...from('021_twophase', {
    'a prepared transaction is applied when it is committed': elsewhere(
      'test/engine/matrix/transaction-cases.ts',
      'prepared transactions, applied at their commit, or never',
    ),
    'prepared transactions that are rolled back, or committed after others and after a restart of the run':
      RUN,
    'transactions that stay prepared on the target, too': notApplicable(
      'applied at COMMIT PREPARED: a prepared transaction on the target would hold its locks and its checkpoint back',
    ),
  }),
  ...from('022_twophase_cascade', { 'a chain of three servers': RUN }),
  ...from('023_twophase_stream', {
    'large prepared transactions, with savepoints, committed and rolled back': streamed({
      schema: keyed('app.c023'),
      changes: [
        `BEGIN; ${many('app.c023', 1, 2000)}; SAVEPOINT s; ${touch('app.c023')}; PREPARE TRANSACTION 'c023 kept'`,
        `INSERT INTO app.c023 VALUES (-1, 'between')`,
        `COMMIT PREPARED 'c023 kept'`,
        `BEGIN; ${many('app.c023', 5000, 6000)}; PREPARE TRANSACTION 'c023 dropped'`,
        `ROLLBACK PREPARED 'c023 dropped'`,
      ],
      tables: { 'app.c023': 'all' },
    }),
  }),
];
