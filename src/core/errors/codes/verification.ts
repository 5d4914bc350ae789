/** XC-5260 to XC-5269: what verification says of itself, what its repairs meet, and values that encodings cannot hold. Exit 6. */

import type { CodeEntry } from '../code-entry.ts';

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
  'XC-5262': {
    title: 'a repair of rows deletes rows that only the target has',
    means:
      'Verification found rows on the target that the source does not have. The plan deletes them, after looking at each of them again; nobody can bring them back from the source.',
    next: 'look at the keys that the plan names, then run it with --confirm REGION',
  },
  'XC-5263': {
    title: 'row could not be repaired',
    means:
      'The target refused the source’s version of a row: a constraint of the target, or a value that its column does not take. Nothing of this row was changed; the others were repaired.',
    next: 'put right what the target refuses, then verify again and make a new plan',
  },
  'XC-5264': {
    title: 'rows were not repaired because their table is being written',
    means:
      'A transaction of the source that writes the table did not end for minutes. Until it does nobody can say which version of a row the target has to have.',
    next: 'run the same plan again once the transaction has ended; what is mended already stays',
  },
  'XC-5265': {
    title: 'row is another one after its repair',
    means:
      'The row was written and read back, and is not what the source has: a trigger of the target that fires for replicas changes it. The repair of these rows was rolled back.',
    next: 'look at triggers of the table that are ENABLE ALWAYS or REPLICA, then run the plan again',
  },
  'XC-5266': {
    title: 'value that the target’s encoding cannot hold',
    means:
      'A text has a character that the target’s encoding does not have, or bytes that are no character: the source is SQL_ASCII, or has another repertoire. The message names the column and the key of the row. Nothing of it was written, and its link is held where it is alone in this. A link whose copy met such a value needs repair once that is mended.',
    next: 'change the value at the source, or make the target’s database anew with ENCODING UTF8',
  },
} as const satisfies Record<string, CodeEntry>;
