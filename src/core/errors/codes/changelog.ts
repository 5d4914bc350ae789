/** XC-5030 to XC-5049: change logs. Exit 6. */

import type { CodeEntry } from '../code-entry.ts';

export const changelogCodes = {
  'XC-5030': {
    title: 'recording cannot go on without a gap',
    means:
      'The slot of a change log is gone, invalidated or further than the log: changes after the log’s last position can no longer be read. Nothing was written; a log never holds a gap.',
    next: 'end this log with xcrepl replication record --stop, and record into a new file, which begins with a copy',
  },
  'XC-5031': {
    title: 'change log was altered',
    means:
      'A line is not the one that was written after the line before it: it was edited, or lines were removed, doubled, moved or added. Nothing of its transaction was applied.',
    next: 'restore the file from where it was recorded; what was applied before stays',
  },
  'XC-5032': {
    title: 'change log has a gap',
    means:
      'A file of the log is missing between others, or the files that hold what follows the checkpoint were taken away. Nothing after the gap is applied.',
    next: 'put the missing file back, or drop the link and replay a whole log',
  },
  'XC-5033': {
    title: 'change log is not the one that the checkpoint belongs to',
    means:
      'The target has a position that the log does not hold: the log was cut short, made anew, or is another one. Reading on could skip or repeat changes.',
    next: 'put the right log back, or drop the link and replay this one from its start',
  },
  'XC-5034': {
    title: 'sealed file of a change log does not match its seal',
    means:
      'A file that was full holds bytes behind its seal, ends in the middle of a line, or has no seal although a later file is there.',
    next: 'restore the file from where it was recorded',
  },
  'XC-5035': {
    title: 'change log belongs to something else',
    means:
      'The log was recorded for another control plane, tenant, scope or link than the configuration names, so its rows must not be taken for those of this link.',
    next: 'point the region or --to at the right file, or give the configuration the log’s control plane and tenant',
  },
  'XC-5036': {
    title: 'change log cannot be understood',
    means:
      'A record is none that this version knows: the log comes from a newer version, or its writer was faulty.',
    next: 'read it with the version that wrote it',
  },
  'XC-5037': {
    title: 'change log is closed',
    means: 'The recording was ended with --stop: its slot is gone, and the last file is sealed.',
    next: 'record into a new file',
  },
  'XC-5038': {
    title: 'link cannot join a replay that is under way',
    means:
      'Links that share a stream read a log from its start together. The stream has gone on since, so a further link would miss what came before.',
    next: 'give its rule dedicated: true, so that it reads the log for itself',
  },
  'XC-5039': {
    title: 'row of a change log is not complete',
    means:
      'A change left large values as they were, and the target has no such row to keep them of. A log cannot be asked for the row again.',
    next: 'compare the target with what was there when the replay began; drop the link and replay the log from its start',
  },
  'XC-5040': {
    title: 'change log is not there',
    means:
      'No file stands at the path, or none that is finished: a log can be read once the copy at its beginning is whole.',
    next: 'check the path, or wait until xcrepl replication record has written the copy',
  },
  'XC-5043': {
    title: 'table was dropped before a recording had read its changes',
    means:
      'The log of the source still has changes of a table that is there no more, and no catalogue says what its columns are. They are left out of the recording; everything else is in it.',
    next: 'record with --follow, so that the log is never far behind',
  },
} as const satisfies Record<string, CodeEntry>;
