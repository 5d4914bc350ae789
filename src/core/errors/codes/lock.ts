/** XC-7xxx: locks, deadlines and outcomes. Each names its exit code (10 to 13). */

import type { CodeEntry } from '../code-entry.ts';

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
  'XC-7010': {
    title: 'taken over by another run',
    means:
      'While this run was cut off from the target, or stood still, another one took the stream over. Nothing that this run still had in hand was written.',
    next: 'leave the stream to the other run; start this one again with --standby to wait beside it',
    exit: 11,
  },
  'XC-7011': {
    title: 'sessions of a run that is gone do not end',
    means:
      'A run that stands by told the server to end the sessions of the run before it, and they are still there. Two runs of one stream would get in each other’s way, so it goes on waiting.',
    next: 'look at these processes in pg_stat_activity; a server with a disk that hangs cannot end them',
    exit: 11,
  },
  'XC-7012': {
    title: 'not allowed to take over',
    means:
      'A run that stands by ends the sessions of a run that is silent. That takes the same role, or pg_signal_backend to end them and pg_read_all_stats to tell them from others. It is asked while the other run still works.',
    next: 'give both runs the same role, or grant pg_signal_backend and pg_read_all_stats',
    exit: 11,
  },
} as const satisfies Record<string, CodeEntry>;
