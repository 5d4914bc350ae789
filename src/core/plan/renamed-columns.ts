/**
 * A column that was renamed at the source while its link is copied looks to a check like one that the target lacks. Added
 * there, it would be empty in every row that was copied under the name of before; renamed there, too, nothing is lost.
 */

import { formerName } from '../schema-change/fit.ts';
import { renameColumn } from '../schema-change/statements.ts';
import { targetColumn, type NameMap } from '../topology/mapping.ts';
import type { TableName } from '../topology/table.ts';
import type { Finding } from '../validation/finding.ts';
import type { StreamFacts } from './facts.ts';

/** @param map what the rule of a table calls things on the target */
export const asRenames = (
  findings: readonly Finding[],
  { source, target }: StreamFacts,
  map: (table: TableName) => NameMap | undefined,
): Finding[] => {
  const renames = new Map<string, Pick<Finding, 'seen' | 'remedy' | 'code'>>();
  for (const { relation, table: name, columns } of target.noted ?? []) {
    const [table, there] = [source.catalogue.tables.get(name), target.catalogue.tables.get(name)];
    if (!columns || !there || table?.oid !== relation) continue;
    for (const column of table.columns) {
      const former = formerName(column, table, there, { columns });
      const called = targetColumn(map(name), name, column.name);
      if (former === null || there.columns.some((other) => other.name === column.name)) continue;
      renames.set(`${name}.${column.name}`, {
        code: 'XC-5220',
        seen: `the source calls it so now; the target still calls it "${former}"`,
        remedy: renameColumn(there, former, called).sql.join(' '),
      });
    }
  }
  return findings.map((finding) =>
    finding.code === 'XC-5314' ? { ...finding, ...renames.get(finding.subject) } : finding,
  );
};
