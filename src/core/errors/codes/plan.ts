/** XC-3xxx: plans and approvals. Exit 8. */

import type { CodeEntry } from '../code-entry.ts';

export const planCodes = {
  'XC-3001': {
    title: 'plan is stale',
    means: 'What the plan was made from has changed since: a role, an epoch, a schema, a rule or a slot.',
    next: 'make a new plan with xcrepl replication simulate and review it',
  },
  'XC-3002': {
    title: 'write authority has moved',
    means:
      'The target has a newer epoch than this run holds: another region was promoted or fenced meanwhile.',
    next: 'make a new plan with xcrepl replication simulate',
  },
  'XC-3003': {
    title: 'plan was edited',
    means:
      'The content of a plan file is not what was planned: it was changed after it was made, by hand or by damage. What was reviewed is what runs.',
    next: 'make a new plan with xcrepl replication simulate, with the options that give what you want',
  },
  'XC-3010': {
    title: 'database was initialised by a newer version',
    means: 'The schema xcrepl has a migration that this program does not know. It is left untouched.',
    next: 'use the version of xcrepl that initialised it, or a later one',
  },
  'XC-3011': {
    title: 'migration differs from the one that was applied',
    means: 'A migration’s text has another checksum than the one recorded when it was applied.',
    next: 'use the released version that initialised the database; migrations are never edited',
  },
  'XC-3012': {
    title: 'file was written by a newer version',
    means: 'A file of the state directory has a newer major schema version than this program knows.',
    next: 'use the version of xcrepl that wrote it, or another state directory',
  },
  'XC-3020': {
    title: 'row is no longer what was planned',
    means:
      'A plan that repairs rows holds the digest of each row on both sides. These rows were written since, on one side or both, and were left alone; the others were repaired.',
    next: 'xcrepl replication verify says whether they still differ, and makes a new plan with --repair-plan FILE',
  },
} as const satisfies Record<string, CodeEntry>;
