/** XC-7xxx: locks, deadlines and outcomes. Each names its exit code (10 to 13). */

import type { CodeEntry } from '../catalogue.ts';

export const lockCodes = {
  'XC-7001': {
    title: 'deadline passed',
    means: 'The time given with --timeout was over before the command was done. What was finished is kept.',
    next: 'run the same command again, with a longer --timeout where it is needed',
    exit: 10,
  },
  'XC-7002': {
    title: 'locked by another run',
    means: 'Another process works on the same stream. Its lock is a database session and dies with it.',
    next: 'wait for that run, or stop it',
    exit: 11,
  },
  'XC-7003': {
    title: 'outcome unknown',
    means: 'The connection broke while a commit was under way, and the effect could not be read back.',
    next: 'run xcrepl replication status to see the position that holds',
    exit: 12,
  },
  'XC-7004': {
    title: 'confirmation needed',
    means: 'The action destroys something, and neither --confirm nor a terminal to ask on was given.',
    next: 'repeat the command with --confirm REGION',
    exit: 13,
  },
} as const satisfies Record<string, CodeEntry>;
