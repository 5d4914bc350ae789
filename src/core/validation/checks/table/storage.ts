/** What logical replication cannot carry, or not all of: unlogged tables, large objects, hidden rows, partitions. */

import { quoteTable } from '../../../topology/quote.ts';
import { tableName } from '../../../topology/table.ts';
import type { Observation, TableCheck, TableContext } from './context.ts';

export const persistence: TableCheck = {
  name: 'persistence',
  run: ({ source, target, links }) => {
    const observations: Observation[] = [];
    if (source.persistence !== 'permanent')
      observations.push({
        on: 'source',
        severity: 'warn',
        seen: `${source.persistence}: its changes are not in the log, so it cannot be published and is left out`,
        remedy: `ALTER TABLE ${quoteTable(source)} SET LOGGED; -- or add "!${tableName(source)}" to the tables of rule ${rules(links)}`,
        code: 'XC-5322',
      });
    if (target && target.persistence !== 'permanent' && source.persistence === 'permanent')
      observations.push({
        on: 'target',
        severity: 'block',
        seen: `${target.persistence} on the target: a crash empties it, although the checkpoint says that its rows are there`,
        remedy: `ALTER TABLE ${quoteTable(target)} SET LOGGED;`,
        code: 'XC-5322',
      });
    return observations;
  },
};

const rules = (links: TableContext['links']): string =>
  [...new Set(links.map((link) => link.rule.id))].join(', ');

export const largeObjects: TableCheck = {
  name: 'large-objects',
  run: ({ source, sourceCatalogue }) =>
    source.columns
      .filter((column) => {
        const type = sourceCatalogue.types.get(column.typeOid);
        return column.typeName === 'oid' || type?.name === 'lo';
      })
      .map((column) => ({
        on: 'source',
        subject: `${tableName(source)}.${column.name}`,
        severity: 'warn',
        seen: `type ${column.typeName}: if it refers to large objects, their content is not carried`,
        remedy: 'keep the content in a bytea column, or copy pg_largeobject by other means',
        code: 'XC-5323',
      })),
};

export const rowSecurity: TableCheck = {
  name: 'row-security',
  run: ({ source, target }) => [
    ...(source.rowSecurity
      ? [
          hidden(
            'source',
            'row security hides rows from our role: the copy would miss them',
            quoteTable(source),
          ),
        ]
      : []),
    ...(target?.rowSecurity
      ? [
          hidden(
            'target',
            'row security applies to our role: rows would be refused or not found',
            quoteTable(target),
          ),
        ]
      : []),
  ],
};

const hidden = (on: 'source' | 'target', seen: string, table: string): Observation => ({
  on,
  severity: 'block',
  seen,
  remedy: `ALTER ROLE CURRENT_USER BYPASSRLS; -- as a superuser, for the role of the DSN; or, where it owns ${table}: ALTER TABLE ${table} NO FORCE ROW LEVEL SECURITY;`,
  code: 'XC-5321',
});

/** CORRECTNESS 9: with publish_via_partition_root a leaf's TRUNCATE and DETACH are not sent. */
export const partitions: TableCheck = {
  name: 'partitions',
  run: ({ source, target, sourceCatalogue }) => {
    if (source.kind !== 'p') return [];
    const observations: Observation[] = [
      {
        on: 'source',
        verdict: 'pass',
        severity: 'info',
        seen: `partitioned, ${source.leaves.length} leaves; TRUNCATE and DETACH of one leaf are not sent and are found by comparing the catalogue`,
        code: 'XC-5318',
      },
    ];
    const foreign = source.leaves.filter((leaf) => !sourceCatalogue.tables.has(leaf));
    if (foreign.length > 0)
      observations.push({
        on: 'source',
        severity: 'block',
        seen: `${foreign.join(', ')} are foreign tables or cannot be seen, and cannot be published with their partitioned table`,
        remedy: 'detach them, or exclude the table',
        code: 'XC-5318',
      });
    if (target?.kind === 'p' && target.leaves.length === 0 && source.leaves.length > 0)
      observations.push({
        on: 'target',
        severity: 'block',
        seen: 'partitioned on the target but without any partition: every row would be refused',
        remedy: `CREATE TABLE ${quoteTable({ schema: target.schema, name: `${target.name}_default` })} PARTITION OF ${quoteTable(target)} DEFAULT;`,
        code: 'XC-5318',
      });
    const lacking = target?.kind === 'p' ? source.leaves.filter((leaf) => !target.leaves.includes(leaf)) : [];
    if (target && target.kind === 'p' && lacking.length > 0 && target.leaves.length > 0)
      observations.push({
        on: 'target',
        severity: 'warn',
        seen: `the target lacks the partitions ${preview(lacking)}; their rows are refused unless another partition takes them`,
        code: 'XC-5318',
      });
    return observations;
  },
};

const SHOWN = 5;
const preview = (names: readonly string[]): string =>
  names.length <= SHOWN
    ? names.join(', ')
    : `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more`;
