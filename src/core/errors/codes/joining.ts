/** XC-5250 to XC-5259: tables that come to links which stream already, and that leave them. Exit 6. */

import type { CodeEntry } from '../code-entry.ts';

export const joiningCodes = {
  'XC-5250': {
    title: 'new table is missing on the target',
    means:
      'A rule names a table that came after its links were copied, and the target has none for its rows. Under ddl: stop, or where the table cannot be made from what is known of it, that is the operator’s to do. The other tables go on; nothing of the new one is published, and none of its rows is lost: all of them are copied once it can join.',
    next: 'run the statement that the message shows on the target; the table joins by itself then',
  },
  'XC-5251': {
    title: 'new table cannot join its links',
    means:
      'A rule names a table that came after its links were copied, and something stands in its way: a policy, its replica identity, a column of the target. The other tables go on; nothing of the new one is published.',
    next: 'mend what the message names; the table joins by itself then',
  },
  'XC-5252': {
    title: 'new table waits',
    means:
      'A rule names a table that came after its links were copied, and this run does not take it in: its link is still being copied or caught up, or --tables left it out.',
    next: 'run again: the next run takes it in',
  },
  'XC-5253': {
    title: 'table is no longer carried',
    means:
      'A table left its rule, or the source. It leaves the publication at once, and its counts and chunks are deleted. Rows on the target stay as they are: they are the operator’s.',
    next: 'nothing; delete the rows on the target if nobody needs them',
  },
  'XC-5254': {
    title: 'a joining table begins again',
    means:
      'The side slot that a table was copied on is lost, and with it changes after its copy. What was copied is deleted, and it is copied once more. The other tables are not concerned.',
    next: 'nothing; raise max_slot_wal_keep_size on the source if it happens again',
  },
} as const satisfies Record<string, CodeEntry>;
