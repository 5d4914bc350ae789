/** XC-5xxx: integrity: divergence, gap, lost slot. Exit 6. */

import type { CodeEntry } from '../catalogue.ts';

export const integrityCodes = {
  'XC-5001': {
    title: 'replication slot is lost',
    means:
      'The slot is gone or invalidated (wal_status lost), so the changes after the checkpoint can no longer be read from the log. Streaming never starts again quietly past such a gap.',
    next: 'xcrepl replication status shows the positions; drop the link and copy it again, or restore the slot',
  },
} as const satisfies Record<string, CodeEntry>;
