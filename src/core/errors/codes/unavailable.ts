/** XC-6xxx: unavailable, disk full, timeout at a provider. Exit 5. */

import type { CodeEntry } from '../catalogue.ts';

export const unavailableCodes = {
  'XC-6001': {
    title: 'server cannot be reached',
    means: 'The connection was refused, dropped, or not answered within the time allowed.',
    next: 'check address, network and server, then run the same command again',
  },
  'XC-6002': {
    title: 'state cannot be written',
    means:
      'A file of the state or report directory could not be written: disk full, read-only or not permitted.',
    next: 'free space or correct the rights of the directory, then run the same command again',
  },
} as const satisfies Record<string, CodeEntry>;
