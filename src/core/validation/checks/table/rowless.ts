/** Views, materialized views and foreign tables that a rule names: they look like tables, and nothing of them is carried. */

import { tableName } from '../../../topology/table-name.ts';
import type { Link } from '../../../topology/link.ts';
import { matchesPatterns } from '../../../topology/pattern.ts';
import type { Catalogue, RowlessFacts } from '../../../topology/table.ts';
import type { Finding } from '../../finding.ts';
import { scopeKey } from './scope.ts';

const WHAT = {
  view: 'a view, which has no rows of its own',
  'materialized view': 'a materialized view, whose rows are not in the log as rows',
  'foreign table': 'a foreign table, whose rows are on another server',
} as const satisfies Record<RowlessFacts['kind'], string>;

const REMEDY = {
  view: 'name the tables underneath; the view itself is schema',
  'materialized view': 'name the tables underneath, and REFRESH MATERIALIZED VIEW on the target',
  'foreign table': 'name a rule for the server that has the rows, or make it a table',
} as const satisfies Record<RowlessFacts['kind'], string>;

/** One that a pattern with * takes in is told of only where it holds rows that somebody may miss. */
export const rowless = (links: readonly Link[], source: Catalogue): Finding[] => {
  const alike = Map.groupBy(links, scopeKey);
  const found = new Map<string, Finding>();
  for (const [first] of alike.values())
    for (const one of source.rowless ?? []) {
      const { rule, scope } = first!;
      const name = tableName(one);
      if (scope.kind === 'schema' && scope.schema !== one.schema) continue;
      if (!matchesPatterns(rule.tables ?? [], name)) continue;
      const exactly = rule.tables?.includes(name) ?? false;
      if (!exactly && one.kind === 'view') continue;
      if (found.get(name)?.severity === 'warn') continue;
      found.set(name, {
        check: 'tables-in-scope',
        region: first!.source,
        subject: name,
        verdict: exactly ? 'fail' : 'unknown',
        severity: exactly ? 'warn' : 'info',
        seen: `rule ${rule.id} names ${WHAT[one.kind]}: it is left out`,
        remedy: REMEDY[one.kind],
        code: 'XC-5344',
      });
    }
  return [...found.values()];
};
