/** What a plan never does, whatever was asked: each is a typed refusal, made before anything is created. */

import type { ColumnRule } from '../config/schema.ts';
import { XcError } from '../errors/xc-error.ts';
import type { Link } from '../topology/link.ts';
import type { TableFacts } from '../topology/table.ts';
import { tableName } from '../topology/table.ts';
import type { Carried } from './publication.ts';

/** @throws XcError XC-1007 */
export const refuseUnavailable = (links: readonly Link[]): void => {
  for (const { rule } of links) {
    if (rule.tier !== 'warm')
      throw new XcError('XC-1007', {
        subject: `rule ${rule.id}`,
        why: `the ${rule.tier} tier cannot run in this version; only warm can`,
        next: `leave it out with --tier warm, or give the rule tier: warm`,
      });
    if (rule.mode !== 'active-passive')
      throw new XcError('XC-1007', {
        subject: `rule ${rule.id}`,
        why: 'active-active cannot run in this version; only active-passive can',
        next: 'give the rule mode: active-passive',
      });
  }
};

/**
 * Gate P1 and its limits: a tenant with column rules names every column, and neither drops nor masks one that tells rows
 * or tenants apart.
 * @throws XcError XC-2001 with all columns that no rule names, XC-2003, XC-2004
 */
export const refuseColumnRules = (carried: Carried): void => {
  const unnamed: string[] = [];
  for (const [link, tables] of carried)
    if (link.columns)
      for (const table of tables)
        unnamed.push(...unnamedColumns(link, table).map((name) => `${link.tenant}: ${name}`));
  if (unnamed.length > 0)
    throw new XcError('XC-2001', {
      subject: [...new Set(unnamed)].join(', '),
      why: 'the tenant has column rules, and no rule names them',
      facts: { columns: [...new Set(unnamed)] },
    });
  for (const [link, tables] of carried) for (const table of tables) refuseRuleOnKey(link, table);
};

const rulesOf = (link: Link, table: TableFacts): Readonly<Record<string, ColumnRule>> =>
  link.columns?.[tableName(table)] ?? {};

const unnamedColumns = (link: Link, table: TableFacts): string[] =>
  table.columns
    .filter((column) => column.generated === 'none' && !rulesOf(link, table)[column.name])
    .map((column) => `${tableName(table)}.${column.name}`);

const refuseRuleOnKey = (link: Link, table: TableFacts): void => {
  const rules = rulesOf(link, table);
  const action = (name: string): ColumnRule['action'] => rules[name]?.action ?? 'allow';
  const refusal = (code: 'XC-2003' | 'XC-2004', name: string): XcError =>
    new XcError(code, {
      subject: `${tableName(table)}.${name}`,
      why: `tenant ${link.tenant} would ${action(name)} it`,
    });
  if (link.scope.kind === 'column' && action(link.scope.column) !== 'allow')
    throw refusal('XC-2004', link.scope.column);
  const keys = table.identity === 'full' ? table.primaryKey : table.identityColumns;
  const lost = keys.find((name) => action(name) === 'drop' || action(name) === 'mask');
  if (lost !== undefined) throw refusal('XC-2003', lost);
};
