/** docs/errors.md from the catalogue. */

import { codes, type XcCode } from '../../src/core/errors/catalogue.ts';
import type { CodeEntry } from '../../src/core/errors/code-entry.ts';
import { EXIT_MEANINGS, exitOf } from '../../src/core/errors/exit.ts';
import { GENERATED, page, table } from './markdown.ts';

const CLASSES: Readonly<Record<string, string>> = {
  1: 'Usage and configuration',
  2: 'Policy and safety',
  3: 'Plans and approvals',
  4: 'Authentication and permission',
  5: 'Integrity: divergence, gaps, lost slots',
  6: 'Unavailable, full or too slow',
  7: 'Locks, deadlines and outcomes',
  9: 'Bugs',
};

export const errorReference = (): string => {
  const all = (Object.entries(codes) as [XcCode, CodeEntry][]).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return page([
    GENERATED,
    '# Errors and exit codes',
    'Every error has a stable code. `xcrepl explain CODE` prints its entry. On standard error a person reads code, title, subject, why and next; with `-o json`, `yaml` or `ndjson` the last line of standard error is one JSON document instead: `{"schemaVersion":1,"error":{"code","title","subject","why","next","exit","facts"}}`.',
    '## Exit codes',
    table(
      ['exit', 'meaning'],
      [
        ...Object.entries(EXIT_MEANINGS).map(([exit, meaning]) => [exit, meaning]),
        ['141', 'the reader of standard output went away before the command was done'],
      ],
    ),
    ...Object.entries(CLASSES).flatMap(([thousand, title]) => {
      const members = all.filter(([code]) => code.charAt(3) === thousand);
      return [`## XC-${thousand}xxx ${title}`, ...members.map(([code, entry]) => section(code, entry))];
    }),
  ]);
};

const section = (code: XcCode, { title, means, next }: CodeEntry): string =>
  `### ${code} ${title}\n\n${means}\n\nNext: ${next}. Exit code ${exitOf(code)}.`;
