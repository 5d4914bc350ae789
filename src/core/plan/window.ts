/** --window FROM/TO: which part of a table by time, by the column that the rule declares. */

import { XcError } from '../errors/xc-error.ts';
import type { Link } from '../topology/link.ts';
import { matchesPatterns } from '../topology/pattern.ts';
import type { TableName } from '../topology/table.ts';
import type { Finding } from './plan.ts';

const TIME = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

/**
 * FROM/TO, two ISO 8601 times of which one may be left out: "2026-01-01/", "2026-01-01T00:00Z/2026-02-01T00:00Z".
 * @throws XcError XC-1301
 */
export const parseWindow = (text: string): { from: string | null; to: string | null } => {
  const [from = '', to, ...rest] = text.split('/');
  const bad = (why: string): XcError => new XcError('XC-1301', { subject: text, why });
  if (to === undefined || rest.length > 0) throw bad('write it as FROM/TO');
  for (const side of [from, to])
    if (side !== '' && (!TIME.test(side) || Number.isNaN(Date.parse(side))))
      throw bad(`"${side}" is no ISO 8601 time`);
  if (from === '' && to === '') throw bad('both sides are open');
  if (from !== '' && to !== '' && Date.parse(from) >= Date.parse(to)) throw bad('FROM must be before TO');
  return { from: from === '' ? null : from, to: to === '' ? null : to };
};

/** The time column that every one of the links' rules declares for the table, or null. */
export const columnOfWindow = (table: TableName, links: readonly Link[]): string | null => {
  const columns = new Set(
    links.map(
      ({ rule }) =>
        Object.entries(rule.timeColumns ?? {}).find(([pattern]) => matchesPatterns([pattern], table))?.[1] ??
        null,
    ),
  );
  const [column] = columns;
  return columns.size === 1 && column !== undefined ? column : null;
};

export const unwindowed = (table: TableName): Finding => ({
  check: 'window',
  subject: table,
  verdict: 'unknown',
  severity: 'warn',
  seen: 'no time column is declared for it, so --window does not limit it: it is copied whole',
  remedy: 'name its column under rules[].timeColumns',
  code: 'XC-1302',
});
