/** How a change's row is named: replica identity on the source, a matching key on the target (CORRECTNESS 1 and 11). */

import { columnThere } from '../../../topology/target-view.ts';
import { quoteNames, quoteTable } from '../../../topology/quote.ts';
import { tableName, type TableFacts } from '../../../topology/table.ts';
import { droppedByAll, hasKeyOver, storedTables, type Observation, type TableCheck } from './context.ts';

export const replicaIdentity: TableCheck = {
  name: 'replica-identity',
  run: (context) => {
    const { source } = context;
    if (source.persistence !== 'permanent') return [];
    if (source.columns.every((column) => column.generated !== 'none')) return [withoutColumns(source)];
    if (source.identityColumns.length === 0) return [withoutIdentity(source)];
    const leaves = storedTables(context)
      .filter((table) => table !== source && table.identityColumns.length === 0)
      .map((leaf) => leafWithoutIdentity(leaf));
    if (source.identity !== 'full') return leaves;
    const dropped = [...droppedByAll(context)];
    return [
      ...(source.primaryKey.length === 0 ? [FULL_WITHOUT_KEY] : []),
      ...(dropped.length > 0 ? [withoutColumnList(source, dropped)] : []),
      ...leaves,
    ];
  },
};

const withoutIdentity = (table: TableFacts): Observation => ({
  on: 'source',
  severity: 'warn',
  seen:
    table.primaryKey.length > 0 && table.identity === 'default'
      ? 'the primary key is deferrable and so identifies no row: only inserts are published'
      : 'neither primary key nor replica identity: only inserts are published, updates and deletes are not carried',
  remedy: identityRemedy(table),
  code: 'XC-5311',
});

const withoutColumns = (table: TableFacts): Observation => ({
  on: 'source',
  severity: 'block',
  seen: 'no column that could be sent: its rows are told apart by nothing',
  remedy: `leave it out of the rule with "!${tableName(table)}"`,
  code: 'XC-5311',
});

const identityRemedy = (table: TableFacts): string => {
  const key = table.indexes.find(
    (index) => isIdentityCandidate(table, index.columns) && index.unique && !index.primary,
  );
  return key && hasKeyOver(table, key.columns)
    ? `ALTER TABLE ${quoteTable(table)} REPLICA IDENTITY USING INDEX ${quoteNames([key.name])};`
    : `ALTER TABLE ${quoteTable(table)} REPLICA IDENTITY FULL; -- or, better, add a primary key`;
};

/** A replica identity index has only NOT NULL columns (PostgreSQL documentation, ALTER TABLE). */
const isIdentityCandidate = (table: TableFacts, columns: readonly string[]): boolean =>
  columns.length > 0 &&
  columns.every((name) => table.columns.some((column) => column.name === name && column.notNull));

/** The leaf's own identity counts for an UPDATE, whatever its root's is: the application's statement would fail. */
const leafWithoutIdentity = (leaf: TableFacts): Observation => ({
  on: 'source',
  subject: tableName(leaf),
  severity: 'block',
  seen: 'the partition has no replica identity, although its partitioned table has; the application’s UPDATE would fail',
  remedy: `ALTER TABLE ${quoteTable(leaf)} REPLICA IDENTITY ${leaf.primaryKey.length > 0 ? 'DEFAULT' : 'FULL'};`,
  code: 'XC-5311',
});

/** A column list beside FULL would make the application's UPDATE fail (CORRECTNESS 1), so there is none. */
const withoutColumnList = (table: TableFacts, dropped: readonly string[]): Observation => ({
  on: 'source',
  severity: 'warn',
  seen: `REPLICA IDENTITY FULL allows no column list: ${dropped.join(', ')} leaves the server and is dropped by the runner, on the source's side`,
  remedy: `ALTER TABLE ${quoteTable(table)} REPLICA IDENTITY ${table.primaryKey.length > 0 ? 'DEFAULT;' : 'USING INDEX …; -- after adding a key'}`,
  code: 'XC-5329',
});

const FULL_WITHOUT_KEY: Observation = {
  on: 'source',
  severity: 'warn',
  seen: 'REPLICA IDENTITY FULL without a primary key: rows are found by all their values, one by one',
  remedy: 'add a primary key where updates or deletes are frequent',
  code: 'XC-5311',
};

export const targetKey: TableCheck = {
  name: 'target-key',
  run: ({ source, target }) => {
    if (!target) return [];
    const key = source.identity === 'full' ? source.primaryKey : source.identityColumns;
    const findings: Observation[] = [];
    if (key.length > 0 && !hasKeyOver(target, key))
      findings.push({
        on: 'target',
        severity: 'block',
        seen: `no unique index over (${key.join(', ')}), by which the source names its rows`,
        remedy: `CREATE UNIQUE INDEX ${target.kind === 'r' ? 'CONCURRENTLY ' : ''}ON ${quoteTable(target)} (${quoteNames(key.map((name) => columnThere(target, name)))});`,
        code: 'XC-5325',
      });
    return [...findings, ...strangerKeys(source, target)];
  },
};

/** Uniqueness that only the target asks for can refuse a row that the source has. */
const strangerKeys = (source: TableFacts, target: TableFacts): Observation[] =>
  target.indexes
    .filter((index) => (index.unique || index.exclusion) && index.valid)
    .filter(
      (index) =>
        !source.indexes.some(
          (other) =>
            (other.unique || other.exclusion) &&
            other.partialOrExpression === index.partialOrExpression &&
            other.columns.length === index.columns.length &&
            other.columns.every((column) => index.columns.includes(column)),
        ),
    )
    .map((index) => ({
      on: 'target',
      severity: 'warn',
      seen: `${index.name} (${index.columns.join(', ') || 'an expression'}) is unique on the target only, and may refuse a row of the source`,
      remedy: `drop ${index.name} on the target, or create it on the source`,
      code: 'XC-5325',
    }));
