/** XC-5xxx: integrity: divergence, gap, lost slot. Exit 6. */

import type { CodeEntry } from '../catalogue.ts';

export const integrityCodes = {
  'XC-5001': {
    title: 'replication slot is lost',
    means:
      'The slot is gone or invalidated (wal_status lost), so the changes after the checkpoint can no longer be read from the log. Streaming never starts again quietly past such a gap.',
    next: 'xcrepl replication status shows the positions; drop the link and copy it again, or restore the slot',
  },
  'XC-5002': {
    title: 'table is not carried by its link',
    means:
      'The rule names the table, but it appeared after the link was copied. Rows written before could not be streamed, so none are.',
    next: 'drop the link and run again: it is copied with the table',
  },
  'XC-5003': {
    title: 'source is another server',
    means:
      'The checkpoint in the target belongs to a source with another system identifier. Its positions mean nothing on this one.',
    next: 'correct the region’s DSN; for a rebuilt source, drop the links and copy again',
  },
  'XC-5004': {
    title: 'link does not carry changes',
    means: 'The link is stopped, paused, errored or in need of repair. The other links of its stream go on.',
    next: 'xcrepl replication status shows why; drop the link and run again to copy it anew',
  },
} as const satisfies Record<string, CodeEntry>;
