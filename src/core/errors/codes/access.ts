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
  'XC-4003': {
    title: 'TLS could not be established',
    means:
      'The server offers no TLS where sslmode demands it, or its certificate does not verify: wrong name, unknown authority or expired.',
    next: 'correct the server’s certificate or sslrootcert; a lower sslmode gives up the protection that it asks for',
  },
} as const satisfies Record<string, CodeEntry>;
