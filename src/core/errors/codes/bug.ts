/** XC-9xxx: bugs. Exit 1. */

import type { CodeEntry } from '../code-entry.ts';

export const bugCodes = {
  'XC-9001': {
    title: 'unexpected failure',
    means: 'Something happened that the program does not expect. This is a bug.',
    next: 'keep the output with --verbose and report it',
  },
} as const satisfies Record<string, CodeEntry>;
