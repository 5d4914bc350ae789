/** XC-5xxx: integrity: divergence, gap, lost slot. Exit 6. */

import type { CodeEntry } from '../code-entry.ts';

export const integrityCodes = {
  'XC-5001': {
    title: 'replication slot is lost',
    means:
      'The slot is gone, invalidated (wal_status lost) or past the checkpoint, so the changes after the checkpoint can no longer be read from the log. Streaming never starts again quietly past such a gap.',
    next: 'xcrepl replication doctor shows what is missing; drop the link and copy it again',
  },
  'XC-5004': {
    title: 'link does not carry changes',
    means: 'The link is stopped, paused, errored or in need of repair. The other links of its stream go on.',
    next: 'xcrepl replication status shows why; drop the link and run again to copy it anew',
  },
  'XC-5010': {
    title: 'a repair would delete rows that only the target has',
    means:
      'The source is of another history than the target: it was restored, rebuilt, or promoted while it was behind. A repair makes the target equal to it, and with that deletes rows which the source lost.',
    next: 'save what is worth keeping on the target, then run the plan with --confirm REGION',
  },
  'XC-5101': {
    title: 'rows differ between source and target',
    means:
      'Verification read a row twice, each time past a marker that the target had passed, and the row still differed, although the source had not written it in between.',
    next: 'look at the keys that the report names; xcrepl replication verify --repair-plan FILE writes a plan that mends them; do not promote the target before',
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
  'XC-5105': {
    title: 'link cannot be compared now',
    means: 'The link is not streaming: its target has no state of the source that it could be compared with.',
    next: 'xcrepl replication status shows why; run it, then verify again',
  },
  'XC-5201': {
    title: 'malformed replication message',
    means:
      'The server sent bytes that are no message of the protocol, or one that has no place where it came. Nothing of the transaction was applied; the stream stands at its checkpoint.',
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
      'A constraint, trigger or type of the target refused a change, also when it was applied alone and in order. The link is held before the transaction, on a slot of its own, and the others of its stream go on; where all of them are refused, the stream stands there.',
    next: 'mend what the message names on the target; the next run, or the one that follows, goes on from there',
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
      'The system identifier of the source differs from the one that was streamed from, or its timeline does not continue it from the checkpoint: it was restored, rebuilt, or promoted while it was behind the target. Positions of another history say nothing.',
    next: 'xcrepl replication doctor says what differs; point the region at the right server, or drop the link and copy it again',
  },
  'XC-5207': {
    title: 'schema of the source changed',
    means:
      'A table has another shape than when the session began. The session starts again with the new shape, from the same position.',
    next: 'run the same command again',
  },
  'XC-5270': {
    title: 'two names become one on the target',
    means:
      'The map of a rule gives two tables, or two columns of a table, of the source one name on the target. Their rows would be mixed, so nothing was written.',
    next: 'correct rules[].map, so that each name stands for one',
  },
  'XC-5271': {
    title: 'rules call a table differently',
    means:
      'Rules that share a stream give one table of the source two names on the target. A stream has one place for each table.',
    next: 'give them the same map, or one of them dedicated: true',
  },
  'XC-5272': {
    title: 'table of a link is elsewhere on the target',
    means:
      'The map of the rule was changed after the link was copied: its rows are in another table than the one that the rule names now, and changes alone would not bring them there.',
    next: 'change the map back, or xcrepl replication drop --link … and run again, which copies the link to its new place',
  },
  'XC-5240': {
    title: 'link cannot be split off its stream',
    means:
      'A link that is paused, or that an error concerns alone, goes onto a replication slot of its own, copied from the stream’s. The copy was not possible, so the stream stands where it was.',
    next: 'see the reason in the message; then run the same command again',
  },
  'XC-5241': {
    title: 'slot is kept for links that are paused',
    means:
      'A paused link stands on the slot, and whatever is read from it now would be lost to the link. Nothing was read.',
    next: 'run the same command again: a run takes paused links off a slot that others need',
  },
  'XC-5242': {
    title: 'link was held for longer than its log could be kept',
    means:
      'A paused or errored link keeps log on the source by a slot of its own, within a budget. Past it the slot was dropped, so that the source’s disk does not fill up for one link; what was written since is missing on the target.',
    next: 'xcrepl replication doctor --plan repair.json, then xcrepl replication run --plan repair.json reads again what differs; postgres.retainedWal.held of the source’s region sets the budget',
  },
  'XC-5243': {
    title: 'link cannot change its stream now',
    means:
      'A rule was made dedicated, or is so no more, so its links change their stream. What they would leave or come to is not in a state in which nothing could be lost; they stay where they are.',
    next: 'see the reason in the message; resume or mend links that stand on slots of their own, then start a run without --tenant or --rule',
  },
  'XC-5208': {
    title: 'copy counts differ',
    means:
      'The source and the target counted different numbers of rows for one chunk. The chunk was rolled back.',
    next: 'run the same command again; if it comes back, look for rules or triggers on the target table that drop rows',
  },
  'XC-5209': {
    title: 'row cannot be read again',
    means:
      'A row moved into the filter of a link without its large values, and the table gives no way to read exactly that row again. Nothing of its transaction was applied.',
    next: 'give the table a key that is not redacted, or ALTER TABLE … REPLICA IDENTITY FULL on the source',
  },
  'XC-5601': {
    title: 'audit log was changed',
    means:
      'An entry, a tile or a bundle of the log is not what the tree says. The finding names the first one; every entry before it is as it was when it was appended.',
    next: 'xcrepl audit verify names every place; keep a copy of the directory before anything else, and compare it with the anchors',
  },
  'XC-5602': {
    title: 'checkpoint of the audit log does not count',
    means: 'It is no signed note, or none of the known keys signed it.',
    next: 'put the key of the log, or the newest anchored checkpoint, back; xcrepl audit verify then says whether the entries fit it',
  },
  'XC-5603': {
    title: 'audit log is shorter than it was',
    means:
      'A checkpoint or an anchor speaks of entries that are not there: the end of the log was cut off, or an older copy of it was put back.',
    next: 'put the newest copy of the audit directory back; xcrepl audit verify says how many entries are missing',
  },
  'XC-5604': {
    title: 'audit proof does not hold',
    means: 'The proof, the entry or the checkpoint in the file is not what it claims to be.',
    next: 'have the proof made again by xcrepl audit prove, and look at who gave you this one',
  },
  'XC-5280': {
    title: 'a copy holds back VACUUM at the source',
    means:
      'A copy has read under one snapshot for more than an hour. Row versions that were deleted since, in any table of the source’s server, stay until it is let go. Between two tables a copy takes a later snapshot by itself once its own is ten minutes old, so this is one table.',
    next: 'let it end, or end the run: the next one goes on with the chunks that are left, under a snapshot of then',
  },
} as const satisfies Record<string, CodeEntry>;
