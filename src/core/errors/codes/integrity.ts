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
  'XC-5101': {
    title: 'rows differ between source and target',
    means:
      'Verification read a row twice, each time past a marker that the target had passed, and the row still differed, although the source had not written it in between.',
    next: 'look at the keys that the report names; drop the link and copy it again, and do not promote the target before',
  },
  'XC-5102': {
    title: 'verification came to no end',
    means:
      'Rows kept changing while they were compared, or could not all be looked at. That is unknown, and never counted as equal.',
    next: 'verify again while fewer writes go on',
  },
  'XC-5103': {
    title: 'table cannot be compared',
    means:
      'A column or key that verification needs is missing on one side, or a hashed value cannot be compared with the type that the target has.',
    next: 'mend what the message names, then verify again',
  },
  'XC-5104': {
    title: 'rows of other tenants on the target',
    means:
      'The target holds rows of tenants that no link brings there. They may belong to another source; they are not part of the comparison.',
    next: 'find out who writes them, or remove them',
  },
  'XC-5201': {
    title: 'malformed replication message',
    means:
      'The server sent bytes that are no message of the pgoutput protocol. Nothing of the transaction was applied; the stream stands at its checkpoint.',
    next: 'run the same command again; if it comes back, report it with the versions of both servers',
  },
  'XC-5202': {
    title: 'table does not fit the target',
    means:
      'A column that the source sends is missing or of another type on the target. Detected before any row of it was touched; the stream resumes from the same position once the target fits.',
    next: 'run the statement that the message shows on the target, then the same command again',
  },
  'XC-5203': {
    title: 'batch too large for memory',
    means: 'One row, or the rows of one flush, are larger than the buffer that a batch may have.',
    next: 'report it with the size of the largest value in the table',
  },
  'XC-5204': {
    title: 'target refused a row',
    means:
      'A constraint, trigger or type of the target refused a change, also when it was applied alone and in order. The stream stands before the transaction and resumes there.',
    next: 'mend what the message names on the target, then run the same command again',
  },
  'XC-5205': {
    title: 'target already holds rows of the link',
    means:
      'The first copy of a link found rows of its tenant in a table of the target. Copying over them could mix two truths, so nothing was written.',
    next: 'remove the rows, or repeat the run with --existing replace --confirm REGION',
  },
  'XC-5206': {
    title: 'source is not the one that the checkpoint belongs to',
    means:
      'The system identifier or timeline of the source differs from the one that was streamed from: it was restored, rebuilt or promoted. Positions of another history say nothing.',
    next: 'xcrepl replication status shows both identities; drop the link and copy it again, or point the region at the right server',
  },
} as const satisfies Record<string, CodeEntry>;
