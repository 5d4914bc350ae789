/** Rules 9 to 20 and 35 to 37: changes, how they are applied and acknowledged, and how rows are compared. */

import { rule } from './rule.ts';

const IDENTITIES = 'test/engine/matrix/identity-cases.ts';
const CONSTRAINTS = 'test/engine/matrix/constraint-cases.ts';
const LIVE = 'src/providers/postgres/verify/verify-live.pg.test.ts';

export const applying = [
  rule(
    9,
    'TRUNCATE takes the rows of the link’s tenants, and no others; what PostgreSQL does not send of partitions is noticed and compared.',
    {
      [CONSTRAINTS]: ['TRUNCATE on a filtered link'],
      'test/engine/shapes/side-effects.ts': [
        'foreign keys: a cascade is carried as the source did it, and a TRUNCATE touches nobody who refers to the table',
      ],
      'test/e2e/schema-changes.long.test.ts': [
        'a partition that is emptied, and one that is detached, are noticed and compared',
      ],
    },
  ),
  rule(10, 'A value that was not sent is never written as NULL, also in a row that moves into the filter.', {
    [CONSTRAINTS]: [
      'rows that move into a tenant, out of it, and between two',
      'a row moves into the filter and takes a unique value that its later self has given back',
    ],
    [IDENTITIES]: [
      'values that are not sent, merged with other changes of the batch',
      'a key changes and its large value is not sent',
      'REPLICA IDENTITY FULL with a key: the old row has what the new one leaves out',
    ],
  }),
  rule(11, 'Of rows that are equal to each other, a change touches one.', {
    [CONSTRAINTS]: ['REPLICA IDENTITY FULL without a key: each change touches exactly one of equal rows'],
    'test/conformance/rows.ts': ['all columns as identity, with rows that are equal to each other and NULLs'],
  }),
  rule(
    12,
    'The net effect of a batch is that of its changes in their order; where triggers or constraints would see the difference, the order is kept.',
    {
      'src/core/change/coalesce.test.ts': ['of any history is what the source has, or the order is kept'],
      [CONSTRAINTS]: [
        'values of unique columns swapped between rows, by deferral and by a detour',
        'an exclusion constraint whose ranges move',
      ],
      [IDENTITIES]: ['keys that move in chains, are swapped, come back, and are used again'],
      'test/engine/matrix/trigger-cases.ts': [
        'triggers that are enabled for replicas, and always, fire once for each change in its order',
      ],
    },
  ),
  rule(
    13,
    'Foreign keys are not checked while rows are applied; where that is wanted, orphans are a finding.',
    {
      'test/conformance/rows.ts': ['foreign keys of the target are not checked'],
      'test/e2e/mapped-names.pg.test.ts': [
        'copied, streamed, verified, emptied and dropped under other names',
      ],
    },
  ),
  rule(
    14,
    'A change of the schema is met before the first row that needs it, told with its statement, and gone on behind from the same position; rewrites, which send nothing, are noticed.',
    {
      'test/engine/schema-changes.pg.test.ts': [
        'each change in turn, with its exact statement, from the same position',
        'additive changes are made by the run, before the first row that needs them, and others still stop',
        'under ddl: additive, too, a column without a rule stops before it is made on the target (P1)',
      ],
      'test/e2e/schema-changes.long.test.ts': [
        'rows that were written anew and not sent are compared; a mere VACUUM FULL is, too, and is found equal',
      ],
      'test/seeds/seeds.long.test.ts': ['$suite.about: $suite.name, seed $seed'],
    },
  ),
  rule(
    15,
    'A transaction of any size goes through in bounded memory, and is there as a whole or not at all; prepared ones are applied when they are committed.',
    {
      'test/engine/large-batches.long.test.ts': [
        'find rows that are not there before they commit, and hold two batches at most',
      ],
      'test/engine/matrix/transaction-cases.ts': [
        'prepared transactions, applied at their commit, or never',
        'savepoints and what was rolled back to them, nested; rolled back and empty transactions',
        'large transactions of several sessions between each other',
      ],
    },
  ),
  rule(
    16,
    'Rows, checkpoint, fence and audit entry are one transaction of the target: no crash leaves one without the others, and no older run writes.',
    {
      'test/engine/matrix/matrix.long.test.ts': ['everything arrives once'],
      'test/engine/resume.pg.test.ts': [
        'a run that was taken over cannot write any more',
        'a newer epoch on the target ends the run',
      ],
      'test/e2e/audit.pg.test.ts': ['rows that a killed command had claimed are appended once'],
    },
  ),
  rule(17, 'A row that somebody else wrote to the target gives way to the source’s, and is counted.', {
    'test/conformance/runs.ts': [
      'rows that somebody wrote to the target give way to those of the source',
      'updates and deletes of rows that the target lost: the row is put there again, and counted',
    ],
  }),
  rule(
    18,
    'The source forgets only what no crash of the target, and no promotion of its standby, can take back.',
    {
      'test/e2e/promoted-standby.long.test.ts': [
        'a promoted standby of either side is gone on with, or the doctor says what is missing and mends it',
      ],
      'test/seeds/suites/kill-server.ts': ['kill-${side}'],
      'src/core/validation/checks/servers.test.ts': ['synchronized-standbys fail warn XC-5305'],
    },
  ),
  rule(19, 'A slot is never acknowledged past the checkpoint, whatever a keepalive says.', {
    'test/engine/idle-and-busy.pg.test.ts': [
      'a link without changes moves its checkpoint and its slot past what others write, and messages pass without harm',
    ],
    'test/engine/facts-while-streaming.pg.test.ts': [
      'a slot is never seen ahead of a checkpoint that it is not ahead of',
    ],
    'test/engine/resume.pg.test.ts': ['a slot that was moved past the checkpoint does not start quietly'],
  }),
  rule(
    20,
    'A run takes over only from one that is gone or silent, and what that one left behind harms nothing.',
    {
      'test/e2e/standby.pg.test.ts': [
        'of two that wait, one goes on where a killed run was, and the other waits on',
        'one that stands still is taken over from, and writes nothing when it wakes up',
        'one that is told to end is followed at once; one that is needed by nobody ends in good order',
        'a role that could not end the sessions is refused while the other run works',
      ],
      'test/e2e/one-at-a-time.pg.test.ts': [
        'the second run names host, pid and since, and after kill -9 nothing is left of the lock',
        'many at once: one works, the others say that they are locked out, none does harm',
      ],
    },
  ),
  rule(35, 'Rows are compared at a marker, and what keeps changing is unknown, never a pass.', {
    [LIVE]: [
      'a row that the source keeps writing is unknown, and a stale one beside it still fails',
      'a row that is written with the same values counts as written',
      'a target that is behind passes once it has caught up',
    ],
    'src/core/validation/compare/compare-unit.test.ts': [
      'a row written back to what it was counts as written: not confirmed in that round',
    ],
  }),
  rule(36, 'The key of a hash stands in no statement: such tables are compared through the runner.', {
    'src/providers/postgres/verify/verify-redacted.pg.test.ts': [
      'no secret and no readable value of a hashed column stands in a statement, which servers log',
    ],
  }),
  rule(37, 'Versions that lose the invalidation of a publication are named before anything runs.', {
    'src/core/validation/checks/servers.test.ts': ['16.8', '17.4'],
  }),
];
