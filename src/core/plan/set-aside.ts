/**
 * Running links that a plan would have to refuse, while others of their stream are well: they are left to the runner,
 * which holds each at the first change that does not fit, and the others go on (CORRECTNESS 5). Where none is well, or
 * a link has yet to begin, the plan refuses as a whole.
 */

import { isBlocking, type Finding } from '../validation/finding.ts';
import type { Link, LinkId } from '../topology/link.ts';
import type { TableName } from '../topology/table.ts';
import type { StreamFacts } from './facts.ts';
import type { Carried } from './publication.ts';
import { columnStops, refuseColumnRules } from './refusals.ts';
import { schemaFindings } from './schema-findings.ts';

/** What a column rule of a running link stops is named by the checks of its tables. @throws XcError XC-2001 to XC-2005 */
export const refuseRules = (
  { source: { catalogue } }: StreamFacts,
  carried: Carried,
  running: ReadonlySet<Link>,
  hashKeys: readonly string[],
): void => {
  const stopped = new Set(
    [...carried].flatMap(([link, tables]) =>
      running.has(link) && columnStops(link, tables, catalogue, hashKeys).length > 0 ? [link] : [],
    ),
  );
  const judged =
    stopped.size === running.size ? carried : new Map([...carried].filter(([link]) => !stopped.has(link)));
  refuseColumnRules(judged, catalogue, hashKeys);
};

/** What checks of tables say, where what blocks some running links alone is no reason to stop the others. */
export const tableFindings = (
  facts: StreamFacts,
  carried: Carried,
  fresh: readonly Link[],
  left: ReadonlyMap<TableName, readonly LinkId[]>,
  running: ReadonlySet<Link>,
): Finding[] => {
  const found = schemaFindings(facts, carried, fresh, left);
  if (!found.some(isBlocking)) return found;
  const of = (keep: (link: Link) => boolean): Finding[] =>
    schemaFindings(facts, new Map([...carried].filter(([link]) => keep(link))), fresh.filter(keep), left);
  const aside = new Set([...running].filter((link) => of((one) => one === link).some(isBlocking)));
  if (aside.size === 0 || aside.size === running.size) return found;
  return [
    ...of((link) => !aside.has(link)),
    ...of((link) => aside.has(link)).map((finding) =>
      isBlocking(finding) ? leftToRunner(finding, [...aside]) : finding,
    ),
  ];
};

const leftToRunner = (finding: Finding, links: readonly Link[]): Finding => ({
  ...finding,
  severity: 'warn',
  seen: `${finding.seen}; of ${links.length === 1 ? links[0]!.id : `${links.length} links`} that run: each is held at the first change that does not fit, the others go on`,
});
