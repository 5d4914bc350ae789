/** Whether each tenant's column rules can be kept for the table (gate P1, CORRECTNESS 27). */

import type { PolicyColumn } from '../../../policy/column-action.ts';
import { compileStops } from '../../../policy/row-policy.ts';
import type { Link } from '../../../topology/link.ts';
import { tableName, type ColumnFacts, type TableFacts, type TypeFacts } from '../../../topology/table.ts';
import type { Observation, TableCheck } from './context.ts';

export const columnPolicy: TableCheck = {
  name: 'column-policy',
  run: ({ source, links, sourceCatalogue }) => {
    const relation = {
      table: tableName(source),
      columns: source.columns
        .filter((column) => column.generated === 'none')
        .map((column) => policyColumn(column, source, sourceCatalogue.types)),
    };
    return links
      .filter((link) => link.columns !== undefined || link.rule.leaveOut !== undefined)
      .flatMap((link) => [
        ...compileStops(relation, { ...rulesOf(link), hashKeys: anyKey(link) }).map((stop): Observation => ({
          on: 'source',
          subject: `${stop.table}.${stop.column}`,
          severity: 'block',
          seen: `tenant ${link.tenant}: ${stop.why}`,
          remedy: stop.next,
          code: stop.code,
        })),
        ...unknownColumns(link, source),
        ...redactedBothWays(link),
      ]);
  },
};

const rulesOf = (link: Link) => ({
  tenant: link.tenant,
  scope: link.scope,
  columns: link.columns,
  rule: link.rule,
});

/** Stands for every secret that a rule names: whether it is there and long enough is judged where it is resolved. */
const anyKey = (link: Link): Map<string, Uint8Array> => {
  const keys = Object.values(link.columns ?? {}).flatMap((rules) =>
    Object.values(rules).flatMap((rule) => ('key' in rule && rule.key !== undefined ? [rule.key] : [])),
  );
  return new Map(keys.map((key) => [key, new Uint8Array(32)]));
};

/** Rules see the type underneath every domain, with the length that the innermost domain gives it. */
const policyColumn = (
  column: ColumnFacts,
  table: TableFacts,
  types: ReadonlyMap<number, TypeFacts>,
): PolicyColumn => {
  let type = types.get(column.typeOid);
  let modifier = column.typeModifier;
  while (type?.kind === 'd') {
    if (modifier === -1) modifier = type.typeModifier ?? -1;
    type = types.get(type.baseOid);
  }
  const key = table.identity === 'full' ? table.primaryKey : [...table.identityColumns, ...table.primaryKey];
  return {
    name: column.name,
    typeOid: column.typeOid,
    typeName: type?.name ?? column.typeName,
    typeModifier: modifier,
    isKey: key.includes(column.name),
  };
};

const unknownColumns = (link: Link, table: TableFacts): Observation[] => {
  const named = Object.keys(link.columns?.[tableName(table)] ?? {});
  return named
    .filter((name) => !table.columns.some((column) => column.name === name))
    .map((name) => ({
      on: 'source',
      subject: `${tableName(table)}.${name}`,
      severity: 'warn',
      seen: `tenant ${link.tenant} has a rule for a column that is not there`,
      remedy: `correct tenants.${link.tenant}.columns."${tableName(table)}"`,
      code: 'XC-5331',
    }));
};

/** A link that redacts is a one-way projection: read back, it would overwrite originals with hashes. */
const redactedBothWays = (link: Link): Observation[] => {
  const redacts = Object.values(link.columns ?? {}).some((rules) =>
    Object.values(rules).some((rule) => rule.action !== 'allow'),
  );
  if (!redacts || link.rule.mode !== 'active-active') return [];
  return [
    {
      on: 'source',
      subject: link.id,
      severity: 'block',
      seen: 'the tenant’s columns are hashed, masked or dropped, and the rule is active-active',
      remedy: `give rule ${link.rule.id} mode: active-passive`,
      code: 'XC-5332',
    },
  ];
};
