/** XC-5220 to XC-5239: changes of a schema while its tables are streamed. Exit 6. */

import type { CodeEntry } from '../code-entry.ts';

export const schemaChangeCodes = {
  'XC-5220': {
    title: 'column was renamed on the source',
    means:
      'The source sends a column under a new name, and the target still has it under the old one. Detected before any row of it was touched; everything before is applied, and the stream resumes from there once the target has the name.',
    next: 'run the statement that the message shows on the target',
  },
  'XC-5221': {
    title: 'label of an enum is missing on the target',
    means:
      'An enum of the source has a label that the target’s lacks: a row with it would be refused. The stream resumes from the same position once it is there.',
    next: 'run the statement that the message shows on the target',
  },
  'XC-5222': {
    title: 'changes of the past cannot be told apart',
    means:
      'The log has changes from before a table was altered, and nothing tells what has become of their columns: dropped and added ones could be renamed ones. Guessing could put values into the wrong column.',
    next: 'xcrepl replication drop --link LINK makes the next run copy the link again',
  },
  'XC-5223': {
    title: 'table was renamed out of its rule',
    means:
      'A table that a link carries has a name now that its rule does not cover. Its rows are not left out without a word: the stream stands before the first of them.',
    next: 'name the table in the rule and rename it on the target, or take it out of the rule for good',
  },
  'XC-5224': {
    title: 'rows were rewritten without being sent',
    means:
      'ALTER TABLE … TYPE, or a column with a volatile default, wrote rows of a table anew; VACUUM FULL and CLUSTER look the same, and so does a TRUNCATE that the stream does not tell by itself (behind a savepoint, or with an ALTER TABLE of the same transaction). PostgreSQL sends nothing for that, so rows of the target may differ. The table is compared by the next verification.',
    next: 'xcrepl replication run compares the table; where it finds differences, drop the link and run again',
  },
  'XC-5225': {
    title: 'partitions of the source changed',
    means:
      'A partition was attached, detached, or emptied by itself. Published through the partitioned table, that sends nothing: rows that came or went with it are not carried. The table is compared by the next verification.',
    next: 'do the same on the target, as the remedy shows; the next verification tells whether rows differ',
  },
  'XC-5226': {
    title: 'table was dropped on the source',
    means: 'A table that a link carried is gone at the source. The target keeps its rows as they were last.',
    next: 'drop the table on the target, too, if it is not needed there',
  },
  'XC-5227': {
    title: 'additive change could not be made',
    means:
      'Under ddl: additive a statement was run on the target, and the target refused it: a lock that was not to be had, a missing privilege or type. Nothing else was changed.',
    next: 'run the statement that the message shows on the target, or grant what it names',
  },
  'XC-5228': {
    title: 'schema of the source changed',
    means: 'A table, column or label came, went or was changed at the source. It stops nothing by itself.',
    next: 'nothing; where the target lacks something, the stream says so before the first row that needs it',
  },
  'XC-5229': {
    title: 'what names a row changed',
    means:
      'Primary key or replica identity of a table is another one now. Rows are found by it on the target, and a row filter outside of it would make the application’s UPDATE fail.',
    next: 'xcrepl precheck shows whether the target has a matching key, and whether the filter still fits',
  },
} as const satisfies Record<string, CodeEntry>;
