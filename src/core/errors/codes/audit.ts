/** Of the audit log's name and anchors; what is wrong inside of it is among the codes of integrity: XC-529x (exit 6). */

import type { CodeEntry } from '../code-entry.ts';

export const auditCodes = {
  'XC-5290': {
    title: 'audit log is that of another control plane',
    means:
      'The log in this directory was begun under another name than the configuration’s controlPlane, and every checkpoint of it, here and anchored elsewhere, carries that name. Nothing was written.',
    next: 'set controlPlane back to the log’s name; or, where the new name is meant, move the directory .xcrepl/audit elsewhere and keep it (it verifies beside a configuration with the old name): the next command that changes something begins a new log',
  },
  'XC-5291': {
    title: 'another checkpoint is anchored for the same number of entries',
    means:
      'The place holds a signed checkpoint of as many entries with another root: since then the log was rolled back and went on in another way, or a copy of its directory is used somewhere else too.',
    next: 'xcrepl audit verify names the entries that differ; look for other copies of the directory with this key, and keep what the place holds',
  },
} as const satisfies Record<string, CodeEntry>;
