/** What a repair of rows left alone, as findings that a report prints. Pure. */

import type { LinkId } from '../../topology/link.ts';
import type { TableName } from '../../topology/table.ts';
import type { Finding, NamedKey } from '../finding.ts';
import type { PlannedRow } from './planned-row.ts';
import { ROW_HASH } from './table-verdict.ts';

export interface LeftAlone {
  readonly table: TableName;
  /** Links of each tenant value, or those with the whole table under null. */
  readonly links: ReadonlyMap<string | null, readonly LinkId[]>;
  readonly keyColumns: readonly string[];
  readonly moved: readonly PlannedRow[];
  readonly refused: readonly { readonly row: PlannedRow; readonly why: string }[];
  readonly busy: readonly PlannedRow[];
}

/** Keys named in one finding; all are counted. */
const KEYS_NAMED = 20;

export const repairFindings = (left: LeftAlone): Finding[] => {
  const { table, moved, refused, busy } = left;
  const finding = (
    rows: readonly PlannedRow[],
    more: Omit<Finding, 'check' | 'subject' | 'severity' | 'keys'>,
  ): Finding[] =>
    rows.length === 0
      ? []
      : [
          {
            check: 'repair-rows',
            subject: table,
            severity: 'warn',
            ...more,
            keys: rows.slice(0, KEYS_NAMED).map((row) => named(left, row)),
          },
        ];
  const whys = [...new Set(refused.map(({ why }) => why))].join(', ');
  return [
    ...finding(moved, {
      verdict: 'fail',
      seen: `${moved.length} rows were written since they were planned, and left alone`,
      remedy: 'xcrepl replication verify --repair-plan FILE',
      code: 'XC-3020',
    }),
    ...finding(
      refused.map(({ row }) => row),
      {
        verdict: 'fail',
        seen: `the target refused ${refused.length} rows: ${whys}`,
        remedy: 'put right what the target refuses, then xcrepl replication verify --repair-plan FILE',
        code: 'XC-5263',
      },
    ),
    ...finding(busy, {
      verdict: 'unknown',
      seen: `${busy.length} rows: a transaction of the source that writes the table did not end`,
      remedy: 'run the same plan again once it has ended',
      code: 'XC-5264',
    }),
  ];
};

const named = ({ links, keyColumns }: LeftAlone, { kind, key, tenant }: PlannedRow): NamedKey => ({
  link: (links.get(tenant) ?? [...links.values()][0])?.[0] ?? '',
  kind,
  key: Object.fromEntries(
    key.map((value, at) => [keyColumns.length === 0 ? ROW_HASH : (keyColumns[at] ?? ''), value]),
  ),
});
