/** XC-54xx: what is wrong with an object. Exit 6. */

import type { CodeEntry } from '../code-entry.ts';

export const objectCodes = {
  'XC-5401': {
    title: 'object is not there',
    means: 'The store has no object of this key, or no upload or bucket of this name.',
    next: 'check bucket, prefix and key; xcrepl objects check lists what differs',
  },
  'XC-5402': {
    title: 'object was changed by somebody else',
    means:
      'A write or read that was to hold for one version of an object only met another one. Nothing was written.',
    next: 'run the same command again; it looks at the store anew',
  },
  'XC-5403': {
    title: 'object differs from its digest',
    means:
      'The bytes are not those whose length or sha256 was announced: damaged, cut off, or another object’s.',
    next: 'fetch or write the object again from a copy whose digest fits',
  },
  'XC-5404': {
    title: 'key cannot stand in this store',
    means: 'A key is empty, too long, or stands where another key needs a directory.',
    next: 'choose another prefix, or another store for these keys',
  },
} as const satisfies Record<string, CodeEntry>;
