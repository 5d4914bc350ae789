/** XC-5260 to XC-5269: what verification says of itself, and what its repairs meet. Exit 6. */

import type { CodeEntry } from '../catalogue.ts';

export const verificationCodes = {
  'XC-5260': {
    title: 'verification did not find what was planted',
    means:
      'In a scratch copy of rows of the table, one row was changed, one taken away and one added, and the comparison did not name exactly these three. What it says of the table itself cannot be relied on.',
    next: 'do not trust a verdict on this table; keep the output with --verbose and report it',
  },
  'XC-5261': {
    title: 'verification could not be tested',
    means:
      'Nothing could be planted: the table has no row of the link, or only rows too large for a scratch copy.',
    next: 'test again once the table has rows',
  },
} as const satisfies Record<string, CodeEntry>;
