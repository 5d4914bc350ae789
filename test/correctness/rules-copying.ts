/** Rules 1 to 8: what is published, links that come and go, the initial copy. */

import { rule } from './rule.ts';

export const copying = [
  rule(
    1,
    'A publication never makes the application’s own statements fail: what its identity or row filter would break is refused before anything is created, with the statement that mends it. Tables without identity publish inserts only.',
    {
      'test/e2e/bad-tables.pg.test.ts': [
        '$name: refused with nothing done, and mended by what it says',
        'a table without a key is carried by inserts alone, with a warning, and --strict refuses it',
      ],
      'src/commands/precheck.pg.test.ts': [
        'blocks before the application could be hurt, and the remedies put it right',
      ],
    },
  ),
  rule(
    2,
    'A publication leaves a column out only where every tenant of the stream drops it; what some drop is dropped by the runner.',
    {
      'src/core/plan/make-plan.test.ts': [
        'leaves a column out only when every tenant drops it',
        'never gives a column list to a table under REPLICA IDENTITY FULL',
      ],
      'test/e2e/redacted-tenant.pg.test.ts': ['the copy holds exactly what the rules leave'],
    },
  ),
  rule(3, 'A stream is one pair of databases, and carries every link of it.', {
    'test/e2e/scopes.pg.test.ts': [
      'each pair of databases has one stream, and each tenant its own rows',
      'a tenant that goes takes its stream with it, and the others stay',
    ],
  }),
  rule(4, 'A link that joins, is split off or is merged misses no transaction and sees none twice.', {
    'test/e2e/many-tenants.long.test.ts': [
      '50 come and 10 go while all of them write, and none misses a row',
    ],
    'test/engine/errored-links.pg.test.ts': [
      'catches up and is merged once it passes, with what came meanwhile',
      'links that fail alike share a slot, and part when one of them passes',
    ],
    'test/e2e/errored-tenant.pg.test.ts': [
      'killed after its slot was copied and before that is written down, it is split off by the next run',
      'killed inside its merge, it is merged by the next run, and nothing is lost or doubled',
    ],
  }),
  rule(5, 'A row of one tenant that the target refuses holds that tenant alone.', {
    'test/engine/errored-links.pg.test.ts': [
      'holds that tenant alone, inside a transaction of all of them',
      'what is judged only at the commit names its link, too',
    ],
  }),
  rule(
    6,
    'A link that is held keeps its log on a slot of its own, within a budget; past it the link is given up, is named, and can be mended.',
    {
      'test/engine/paused-links.pg.test.ts': [
        'stays so run after run, and its slot cannot be read past it',
        'a held link is given up, is named, and is mended by reading what differs',
      ],
    },
  ),
  rule(
    7,
    'Rows that move while they are copied are neither doubled nor missed: pages only within one living snapshot, ranges of keys under a later one, whose transactions the stream skips row by row; a table that is altered beneath a copy is copied as it is now.',
    {
      'test/engine/resume.pg.test.ts': [
        'a copy cut off after %i chunks goes on under a later snapshot, while the source changes',
      ],
      'src/core/replication/seen.test.ts': [
        'a table that was read by pages has one snapshot for all its rows',
        'of a TRUNCATE, what was copied before it',
      ],
      'test/engine/truncate-during-copy.pg.test.ts': [
        'TRUNCATE between two snapshots takes what was copied before it, and nothing that was copied after',
      ],
      'test/engine/altered-during-copy.pg.test.ts': ['what is altered while it is copied arrives, ddl: %s'],
    },
  ),
  rule(
    8,
    'A copy holds no lock on a table between two of its chunks, and no snapshot for longer than it must; how long it does is shown.',
    {
      'test/engine/truncate-during-copy.pg.test.ts': [
        'an old snapshot is shown, and exchanged before the next table',
        'TRUNCATE beside a copy that is over its table goes through, and the copy to its end',
      ],
      'src/core/report/status.test.ts': ['alarms of a copy that reads under an old snapshot'],
    },
  ),
];
