/** What a plan never does, whatever was asked: each is a typed refusal, made before anything is created. */

import { XcError } from '../errors/xc-error.ts';
import type { PolicyRelation, Stop } from '../policy/column-action.ts';
import { judgeResidency, type Flow, type ResidencyVerdict } from '../policy/residency.ts';
import { compileStops } from '../policy/row-policy.ts';
import { checkTables } from '../validation/checks/tables.ts';
import { isBlocking } from '../validation/finding.ts';
import type { Link } from '../topology/link.ts';
import type { Catalogue, ColumnFacts, TableFacts } from '../topology/table.ts';
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
 * What would hurt the source where the link's tables are published: the same checks as a plan's, against no target.
 * @throws XcError XC-2014 naming every finding that blocks
 */
export const refuseRecording = (link: Link, tables: readonly TableFacts[], catalogue: Catalogue): void => {
  if (tables.length === 0)
    throw new XcError('XC-1304', { subject: link.id, why: 'the source has no table that its rule names' });
  const blocking = checkTables({ links: [link], source: catalogue, target: catalogue }).filter(
    (finding) => finding.verdict !== 'pass' && isBlocking(finding),
  );
  if (blocking.length === 0) return;
  const remedies = blocking.flatMap(({ remedy }) => remedy ?? []);
  throw new XcError('XC-2014', {
    subject: blocking.map(({ subject }) => subject).join(', '),
    why: blocking.map(({ subject, seen }) => `${subject}: ${seen}`).join('\n'),
    ...(remedies.length > 0 ? { next: remedies.join('\n') } : {}),
    facts: { findings: blocking },
  });
};

/** Stands for a key that the configuration names: a plan knows of keys, but never holds one. */
const NAMED_KEY = new Uint8Array(32);

/**
 * Gate P1: a tenant with column rules names every column, and no rule loses a key or a tenant.
 * @param hashKeys names that the configuration gives keys to
 * @throws XcError XC-2001 to XC-2005, with all stops among its facts
 */
export const refuseColumnRules = (
  carried: Carried,
  catalogue: Catalogue,
  hashKeys: readonly string[],
): void => {
  const stops = new Map<string, Stop>();
  for (const [link, tables] of carried)
    for (const stop of columnStops(link, tables, catalogue, hashKeys))
      stops.set(`${link.tenant}: ${stop.table}.${stop.column}`, stop);
  const [first] = stops.values();
  if (!first) return;
  const alike = [...stops].filter(([, stop]) => stop.code === first.code).map(([name]) => name);
  throw new XcError(first.code, {
    subject: alike.join(', '),
    why: first.why,
    next: first.next,
    facts: { stops: [...stops.values()] },
  });
};

/**
 * Residency: nothing leaves the zones of its tenant, not even when a region is lost.
 * @throws XcError XC-2032, with every link that it concerns among its facts
 */
export const refuseResidency = (carried: Carried): void => {
  const refused = [...carried].flatMap(([link, tables]) => {
    const verdict = residencyVerdict(link, tables);
    return verdict.allowed ? [] : [{ link: link.id, ...verdict }];
  });
  const [first] = refused;
  if (!first) return;
  const { columns } = first;
  throw new XcError('XC-2032', {
    subject: refused.map(({ link }) => link).join(', '),
    why: first.reason + (columns.length > 0 ? `: ${columns.join(', ')} is allowed as it is` : ''),
    facts: { refused },
  });
};

export const residencyVerdict = (link: Link, tables: readonly TableFacts[]): ResidencyVerdict =>
  judgeResidency(flowOf(link, tables));

/** What a link would send of these tables, as residency judges it. */
export const flowOf = (link: Link, tables: readonly TableFacts[]): Flow => ({
  tenant: link.tenant,
  target: { region: link.target, zone: link.residency?.targetZone ?? '' },
  residency: link.residency,
  rules: link.columns && tables.flatMap((table) => sentRules(link.columns!, table)),
});

/** Rules of the columns that the table has. What no rule names was refused before. */
const sentRules = (columns: NonNullable<Link['columns']>, table: TableFacts) => {
  const rules = Object.hasOwn(columns, tableName(table)) ? columns[tableName(table)]! : {};
  return table.columns
    .filter((column) => column.generated === 'none' && Object.hasOwn(rules, column.name))
    .map((column) => ({ ...rules[column.name]!, column: `${tableName(table)}.${column.name}` }));
};

/** Why the link's rules let no row of these tables leave. */
export const columnStops = (
  link: Link,
  tables: readonly TableFacts[],
  catalogue: Catalogue,
  hashKeys: readonly string[],
): Stop[] => {
  const keys = new Map(hashKeys.map((name) => [name, NAMED_KEY]));
  return tables.flatMap((table) =>
    compileStops(policyRelation(table, catalogue), { ...link, hashKeys: keys }),
  );
};

const policyRelation = (table: TableFacts, catalogue: Catalogue): PolicyRelation => {
  const keys = new Set([...table.primaryKey, ...(table.identity === 'full' ? [] : table.identityColumns)]);
  return {
    table: tableName(table),
    columns: table.columns
      .filter((column) => column.generated === 'none')
      .map((column) => ({
        name: column.name,
        typeOid: column.typeOid,
        typeName: underlyingType(column, catalogue),
        typeModifier: column.typeModifier,
        isKey: keys.has(column.name),
      })),
  };
};

/** Name of the type underneath every domain. A domain over a domain ends, since types cannot be circular. */
const underlyingType = (column: ColumnFacts, catalogue: Catalogue): string => {
  let type = catalogue.types.get(column.typeOid);
  if (!type?.baseOid) return column.typeName;
  while (type.baseOid) {
    const base = catalogue.types.get(type.baseOid);
    if (!base) break;
    type = base;
  }
  return type.name;
};
