/**
 * The links of a replay under the policies that still have something to do: what was redacted when the log was recorded
 * stays as it is, because a hash of a hash would fit nothing.
 */

import type { Link } from '../topology/link.ts';
import type { TableRecord } from './records.ts';

export const replayLinks = (
  links: readonly Link[],
  tables: Iterable<Pick<TableRecord, 'name' | 'columns' | 'redacted'>>,
): Link[] => {
  const all = [...tables];
  return links.map((link) => {
    const { columns } = link;
    if (columns === undefined) return link;
    const now = { ...columns };
    for (const { name, columns: logged, redacted } of all) {
      const rules = columns[name] ?? {};
      const kept = Object.entries(rules).filter(([column]) => logged.includes(column));
      const stays = Object.keys(redacted).map((column) => [column, { action: 'allow' as const }] as const);
      now[name] = Object.fromEntries([...kept, ...stays]);
    }
    return { ...link, columns: now };
  });
};
