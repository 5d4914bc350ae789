/** XC-4xxx: authentication and permission at a provider. Exit 4. */

import type { CodeEntry } from '../catalogue.ts';

export const accessCodes = {
  'XC-4001': {
    title: 'authentication failed',
    means: 'The server refused the user or the password.',
    next: 'check the secret that the DSN refers to',
  },
  'XC-4002': {
    title: 'permission denied',
    means: 'The role lacks a right that this step needs.',
    next: 'grant what the message names; xcrepl init prints all grants',
  },
} as const satisfies Record<string, CodeEntry>;
