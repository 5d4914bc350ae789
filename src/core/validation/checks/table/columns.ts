/** Column and type differences between source and target, named one by one. */

import { quoteName, quoteTable } from '../../../topology/quote.ts';
import { addColumn, createTable, mendType, type Statements } from '../../../schema-change/statements.ts';
import { targetColumn, targetTable as targetTableName, type NameMap } from '../../../topology/mapping.ts';
import { splitTable } from '../../../topology/table-name.ts';
import {
  ownName,
  tableName,
  type Catalogue,
  type ColumnFacts,
  type TableFacts,
} from '../../../topology/table.ts';
import { diffTables, type TableDifference } from '../../schema-diff.ts';
import { droppedByAll, type Observation, type TableCheck } from './context.ts';

export const targetTable: TableCheck = {
  name: 'target-table',
  run: ({ source, target, targetCatalogue, links }) => {
    if (!target)
      return [
        {
          on: 'target',
          severity: 'block',
          seen: `no table ${targetTableName(links[0]?.rule.map, tableName(source))} on the target`,
          remedy: createMissing(source, targetCatalogue, links[0]?.rule.map),
          code: 'XC-5313',
        },
      ];
    if (target.isPartition)
      return [
        {
          on: 'target',
          severity: 'warn',
          seen: 'a partition on the target, where it is a table of its own on the source; rows outside its bounds are refused',
          code: 'XC-5318',
        },
      ];
    return [];
  },
};

/** A schema in which nothing is seen may still be there: then the first statement changes nothing. */
const createMissing = (source: TableFacts, target: Catalogue, map: NameMap | undefined): string => {
  const { schema } = splitTable(targetTableName(map, tableName(source)));
  const isThere = [...target.tables.values(), ...target.types.values()].some((one) => one.schema === schema);
  const sql = isThere ? [] : [`CREATE SCHEMA IF NOT EXISTS ${quoteName(schema)};`];
  return [...sql, ...createTable(source, map).sql].join('\n');
};

export const columns: TableCheck = {
  name: 'columns',
  run: (context) => {
    const { source, target, sourceCatalogue, targetCatalogue } = context;
    if (!target) return [];
    const differences = diffTables(
      { table: source, types: sourceCatalogue.types },
      { table: target, types: targetCatalogue.types },
      droppedByAll(context),
    );
    const { map } = context.links[0]!.rule;
    return differences.map((difference) => observeDifference(difference, source, target, map));
  },
};

/** What stands out, how bad it is, and the statement that puts it right. */
export const observeDifference = (
  difference: TableDifference,
  source: TableFacts,
  target: TableFacts,
  map: NameMap | undefined,
): Observation => {
  const { column } = difference;
  const subject = `${tableName(source)}.${column.name}`;
  const alter = `ALTER TABLE ${quoteTable(target)}`;
  const name = quoteName(column.ownName ?? targetColumn(map, tableName(source), column.name));
  switch (difference.kind) {
    case 'missing-column':
      return {
        on: 'target',
        subject,
        severity: 'block',
        seen: `no such column on the target; the source sends it as ${column.typeName}, unless leaveOut of the rule names it`,
        remedy: addColumn(target, column, targetColumn(map, tableName(source), column.name)).sql.join(' '),
        code: 'XC-5314',
      };
    case 'type-differs':
      return {
        on: 'target',
        subject,
        severity: difference.widening ? 'warn' : 'block',
        seen: difference.why,
        ...remedyOf(mendType(target, difference)),
        code: 'XC-5315',
      };
    case 'extra-required-column':
      return {
        on: 'target',
        subject,
        severity: 'block',
        seen: 'only on the target, NOT NULL and without default: every insert would fail',
        remedy: `${alter} ALTER COLUMN ${name} DROP NOT NULL;`,
        code: 'XC-5316',
      };
    case 'extra-column':
      return {
        on: 'target',
        subject,
        severity: 'info',
        seen: 'only on the target; inserts leave it at its default',
        code: 'XC-5316',
      };
    case 'target-not-null':
      return {
        on: 'target',
        subject,
        severity: 'block',
        seen: 'NOT NULL on the target, but may come without a value from the source',
        remedy: `${alter} ALTER COLUMN ${name} DROP NOT NULL;`,
        code: 'XC-5316',
      };
    case 'target-generated':
      return {
        on: 'target',
        subject,
        severity: 'block',
        seen: 'generated on the target, but sent as a value by the source, unless leaveOut of the rule names it',
        remedy:
          column.generated === 'stored'
            ? `${alter} ALTER COLUMN ${name} DROP EXPRESSION;`
            : `${alter} DROP COLUMN ${name}, ADD COLUMN ${name} ${column.typeName};`,
        code: 'XC-5317',
      };
    case 'source-generated':
      return sourceGenerated(difference.column, difference.target, subject, alter);
    case 'expression-differs':
      return {
        on: 'target',
        subject,
        severity: 'warn',
        seen: `generated by another expression: ${difference.column.default ?? ''} on the source, ${difference.target.default ?? ''} on the target`,
        code: 'XC-5317',
      };
    case 'collation-differs':
      return {
        on: 'target',
        subject,
        severity: 'warn',
        seen: `collation ${difference.column.collation ?? 'of the database'} on the source, ${difference.target.collation ?? 'of the database'} on the target: order and uniqueness may differ`,
        code: 'XC-5315',
      };
  }
};

const remedyOf = (statements: Statements | null): { readonly remedy?: string } =>
  statements === null ? {} : { remedy: statements.sql.join(' ') };

/** Generated columns are not published, so a plain column on the target stays empty. */
const sourceGenerated = (
  source: ColumnFacts,
  target: ColumnFacts,
  subject: string,
  alter: string,
): Observation => {
  const name = quoteName(ownName(target));
  const required = target.notNull && target.default === null;
  return {
    on: 'target',
    subject,
    severity: required ? 'block' : 'warn',
    seen: `generated (${source.generated}) on the source and so not sent; on the target it is a plain column${required ? ', NOT NULL and without default' : ' and would stay at its default'}`,
    remedy: `${alter} DROP COLUMN ${name}, ADD COLUMN ${name} ${source.typeName} GENERATED ALWAYS AS (${source.default ?? ''}) ${source.generated.toUpperCase()};`,
    code: 'XC-5317',
  };
};

export const generatedColumns: TableCheck = {
  name: 'generated-columns',
  run: ({ source }) => {
    const inKey = source.columns.filter(
      (column) =>
        column.generated !== 'none' &&
        [...source.identityColumns, ...source.primaryKey].includes(column.name),
    );
    const virtual = source.columns.filter(
      (column) => column.generated === 'virtual' && !inKey.includes(column),
    );
    if (source.identity === 'full' && virtual.length > 0) return [virtualInFull(source, virtual)];
    return [
      ...inKey.map((column): Observation => ({
        on: 'source',
        subject: `${tableName(source)}.${column.name}`,
        severity: 'block',
        seen: 'a generated column in the key or replica identity is not published; the application’s UPDATE would fail, or its row could not be named',
        remedy: `choose a replica identity without ${column.name}`,
        code: 'XC-5317',
      })),
      ...virtual.map((column): Observation => ({
        on: 'source',
        subject: `${tableName(source)}.${column.name}`,
        verdict: 'pass',
        severity: 'info',
        seen: 'a virtual generated column is not sent; the target computes its own where it has one',
        code: 'XC-5317',
      })),
    ];
  },
};

/** PostgreSQL 18, pub_contains_invalid_column: FULL has every column, and a virtual one cannot be published. */
const virtualInFull = (table: TableFacts, virtual: readonly ColumnFacts[]): Observation => ({
  on: 'source',
  severity: 'block',
  seen: `REPLICA IDENTITY FULL contains ${virtual.map(ownName).join(', ')}, which is virtual and cannot be published; the application’s UPDATE would fail`,
  remedy: `ALTER TABLE ${quoteTable(table)} REPLICA IDENTITY ${table.primaryKey.length > 0 ? 'DEFAULT' : 'USING INDEX …'};`,
  code: 'XC-5317',
});
