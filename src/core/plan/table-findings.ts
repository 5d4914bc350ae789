/** What plans say of tables that come to running links, cannot come, and leave. */

import { createTable } from '../schema-change/statements.ts';
import type { Link, LinkId } from '../topology/link.ts';
import { tableName, type TableFacts, type TableName } from '../topology/table.ts';
import type { Finding } from '../validation/finding.ts';
import type { CarriedRow } from './facts.ts';

const CHECK = 'table-in-link';

/** Whether it is one of those that this file makes. */
export const isOfTables = ({ check }: Finding): boolean => check === CHECK;

const linksText = (links: readonly LinkId[]): string =>
  links.length === 1 ? links[0]! : `${links.length} links`;

export const lacking = (table: TableFacts, links: readonly Link[], target: string): Finding => ({
  check: CHECK,
  subject: tableName(table),
  verdict: 'fail',
  severity: 'warn',
  seen: `it came after ${linksText(links.map(({ id }) => id))} was copied, and ${target} has no such table; it joins once it is there`,
  remedy: `${createTable(table, links[0]?.rule.map).sql.join('\n')} -- on ${target}`,
  code: 'XC-5250',
});

export const cannotJoin = (table: TableName, obstacles: readonly Finding[]): Finding => {
  const remedies = [...new Set(obstacles.flatMap(({ remedy }) => remedy ?? []))];
  const reasons = [
    ...new Set(
      obstacles.map(
        ({ code, subject, seen }) => `${code ?? ''} ${subject === table ? '' : `${subject}: `}${seen}`,
      ),
    ),
  ];
  return {
    check: CHECK,
    subject: table,
    verdict: 'fail',
    severity: 'warn',
    seen: `it cannot join the links that its rule gives it to: ${reasons.join('; ')}`,
    ...(remedies.length > 0 ? { remedy: remedies.join('\n') } : {}),
    code: 'XC-5251',
  };
};

export const waiting = (table: TableName, waits: readonly { readonly link: Link }[]): Finding => ({
  check: CHECK,
  subject: table,
  verdict: 'fail',
  severity: 'info',
  seen: `${linksText(waits.map(({ link }) => link.id))} does not take it in yet`,
  remedy: 'xcrepl replication run, once more',
  code: 'XC-5252',
});

export const left = (gone: readonly { readonly link: LinkId; readonly row: CarriedRow }[]): Finding[] =>
  [...Map.groupBy(gone, ({ row }) => row.relation).values()].map((group) => ({
    check: CHECK,
    subject: group[0]!.row.table,
    verdict: 'unknown',
    severity: 'info',
    seen: `${linksText(group.map(({ link }) => link))} no longer carries it; rows on the target stay as they are`,
    code: 'XC-5253',
  }));

export const begunAgain = (
  table: TableName,
  admitted: readonly { readonly link: Link; readonly again: boolean }[],
): Finding[] => {
  const again = admitted.filter((one) => one.again);
  if (again.length === 0) return [];
  return [
    {
      check: CHECK,
      subject: table,
      verdict: 'unknown',
      severity: 'info',
      seen: `${linksText(again.map(({ link }) => link.id))}: the slot that it was copied on is lost; what was copied is deleted, and copied again`,
      code: 'XC-5254',
    },
  ];
};
