/** How large tables in scope are, and how long copying them would take at a rate that is assumed and said. */

import { sizeText } from '../../config/quantity.ts';
import type { Link } from '../../topology/link.ts';
import { tableName, type Catalogue, type TableFacts } from '../../topology/table.ts';
import type { Finding } from '../finding.ts';
import { scopeKey, tablesInScope } from './table/scope.ts';

/** What one COPY stream moves over a common path between regions: nothing was measured yet. */
export const ASSUMED_COPY_BYTES_PER_SECOND = 16 * 2 ** 20;

export const tableSizes = (links: readonly Link[], source: Catalogue): Finding[] => {
  const tables = new Map<string, TableFacts>();
  for (const [first] of Map.groupBy(links, scopeKey).values())
    for (const table of first ? tablesInScope(first, source) : []) tables.set(tableName(table), table);
  const region = links[0]?.source;
  return [...tables].map(([subject, table]) => ({
    check: 'table-size',
    ...(region === undefined ? {} : { region }),
    subject,
    verdict: 'pass',
    severity: 'info',
    seen: `${rowsText(table.estimatedRows)}, ${sizeText(table.bytes)} with all tenants; ${durationText(table.bytes / ASSUMED_COPY_BYTES_PER_SECOND)} to copy at an assumed ${sizeText(ASSUMED_COPY_BYTES_PER_SECOND)}/s`,
  }));
};

const rowsText = (rows: number): string =>
  rows < 0 ? 'never analysed, rows not known' : `about ${Math.round(rows).toLocaleString('en-US')} rows`;

const durationText = (seconds: number): string => {
  if (seconds < 1) return 'under 1 s';
  if (seconds < 120) return `about ${Math.round(seconds)} s`;
  return seconds < 7200 ? `about ${Math.round(seconds / 60)} min` : `about ${(seconds / 3600).toFixed(1)} h`;
};
