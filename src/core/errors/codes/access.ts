/** XC-4xxx: authentication and permission at a provider. Exit 4. */

import type { CodeEntry } from '../code-entry.ts';

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
  'XC-4010': {
    title: 'passphrase does not open the key',
    means: 'The key file is whole, and the passphrase that was given is not the one that it was sealed with.',
    next: 'give the passphrase by reference (signing.passphrase), or in COSIGN_PASSWORD',
  },
  'XC-4011': {
    title: 'cosign could not sign',
    means: 'The program cosign, or the key service that it asked, refused or failed.',
    next: 'run the same with cosign sign-blob, which says more',
  },
  'XC-4101': {
    title: 'object store refuses the credentials',
    means: 'The store does not know the key, its signature is wrong or expired, or it may not do this here.',
    next: 'check the credentials of the region’s object store, and the rights that they have on bucket and prefix',
  },
  'XC-4102': {
    title: 'object store’s clock is another one',
    means: 'The store refused a signed request because its time is too far from this host’s.',
    next: 'set this host’s clock (NTP), then run the same command again',
  },
} as const satisfies Record<string, CodeEntry>;
