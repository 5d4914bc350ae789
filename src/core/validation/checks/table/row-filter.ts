/**
 * Whether the rows of each tenant can be told apart at the source without hurting the application: a publication that
 * filters by a column outside the replica identity makes the application's UPDATE fail (CORRECTNESS 1).
 */

import { quoteLiteral, quoteName, quoteNames, quoteTable } from '../../../topology/quote.ts';
import { tableName, type ColumnFacts, type TableFacts } from '../../../topology/table.ts';
import { hasKeyOver, storedTables, type Observation, type TableCheck, type TableContext } from './context.ts';

export const tenantColumn: TableCheck = {
  name: 'tenant-column',
  run: (context) => [
    ...context.scopes.columns.flatMap((name) => {
      const column = context.source.columns.find((one) => one.name === name);
      return column ? columnObservations(context, column) : [missing(context, name)];
    }),
    ...mixedScopes(context),
  ],
};

const missing = (context: TableContext, column: string): Observation => {
  const links = context.links.filter((link) => link.scope.kind === 'column' && link.scope.column === column);
  const rules = [...new Set(links.map((link) => link.rule.id))];
  return {
    on: 'source',
    severity: 'block',
    seen: `has no column ${column}, by which the rows of ${tenants(links)} are told apart`,
    remedy: `exclude it: add "!${tableName(context.source)}" to the tables of rule ${rules.join(', ')}`,
    code: 'XC-5312',
  };
};

const tenants = (links: TableContext['links']): string => {
  const names = [...new Set(links.map((link) => link.tenant))];
  return names.length > 3 ? `${names.length} tenants` : `tenant ${names.join(', ')}`;
};

/** A publication has one row filter a table, so its tenants are all told apart by the same column, or not at all. */
const mixedScopes = (context: TableContext): Observation[] => {
  const ways = context.scopes.sharedWays;
  if (ways.length <= 1) return [];
  return [
    {
      on: 'source',
      severity: 'block',
      seen: `its tenants are told apart in different ways (${ways.map((way) => way || 'whole table').join(', ')})`,
      remedy: 'give one of the rules dedicated: true',
      code: 'XC-5330',
    },
  ];
};

const columnObservations = (context: TableContext, column: ColumnFacts): Observation[] => {
  const type = context.sourceCatalogue.types.get(column.typeOid);
  const observations: Observation[] = [];
  const block = (seen: string, remedy: string, code: string): void => {
    observations.push({ on: 'source', severity: 'block', seen, remedy, code });
  };
  if (column.generated !== 'none')
    block(
      `${column.name} is generated, so it is not published and no row can be told apart by it`,
      `scope the tenant by a column that is stored, or exclude "!${tableName(context.source)}"`,
      'XC-5317',
    );
  if (type && type.schema !== 'pg_catalog')
    block(
      `${column.name} has the type ${column.typeName}; a publication's filter allows built-in types only`,
      `give the column a built-in type, or give the tenant a schema of its own`,
      'XC-5334',
    );
  if (column.collation !== null && !column.collation.startsWith('pg_catalog.'))
    block(
      `${column.name} has the collation ${column.collation}; a publication's filter allows built-in ones only`,
      `ALTER TABLE ${quoteTable(context.source)} ALTER COLUMN ${quoteName(column.name)} TYPE ${column.typeName} COLLATE pg_catalog."default";`,
      'XC-5334',
    );
  for (const value of misfits(context, column))
    block(
      `the value ${quoteLiteral(value)} does not fit the column ${column.name} of type ${column.typeName}`,
      'correct the tenant’s scope.value',
      'XC-5335',
    );
  if (column.generated === 'none' && !column.notNull)
    observations.push({
      on: 'source',
      severity: 'info',
      seen: `${column.name} may be NULL; such rows belong to no tenant and are not carried`,
      code: 'XC-5312',
    });
  return observations;
};

const VALUE_FORMS: Readonly<Record<string, RegExp>> = {
  smallint: /^-?\d{1,5}$/,
  integer: /^-?\d{1,10}$/,
  bigint: /^-?\d{1,19}$/,
  uuid: /^\{?[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\}?$/,
  boolean: /^(t|f|true|false|y|n|yes|no|on|off|1|0)$/i,
};

const misfits = (context: TableContext, column: ColumnFacts): string[] => {
  const form = VALUE_FORMS[column.typeName];
  const values = context.scopes.values.get(column.name) ?? [];
  return form ? values.filter((value) => !form.test(value)) : [];
};

export const rowFilterIdentity: TableCheck = {
  name: 'row-filter-identity',
  run: (context) => {
    const { source } = context;
    if (source.identityColumns.length === 0 || source.persistence !== 'permanent') return [];
    const filters = context.scopes.columns.filter((name) =>
      source.columns.some((column) => column.name === name),
    );
    return filters.flatMap((name) => {
      const stored = storedTables(context).filter(
        (table) => table.identityColumns.length > 0 && !table.identityColumns.includes(name),
      );
      const outside = source.identityColumns.includes(name) ? stored : [source];
      return [...outside.map((table) => outsideIdentity(source, table, name)), ...fragile(source, name)];
    });
  },
};

const outsideIdentity = (root: TableFacts, table: TableFacts, column: string): Observation => ({
  on: 'source',
  subject: tableName(table),
  severity: 'block',
  seen: `${column} is outside the replica identity (${table.identityColumns.join(', ')}); the application's UPDATE would fail`,
  remedy: filterRemedy(root, column),
  code: 'XC-5310',
});

/** Statements for the source that bring the column into the table's replica identity. */
export const filterRemedy = (root: TableFacts, column: string): string =>
  root.kind === 'p' ? primaryKeyRemedy(root, column) : indexRemedy(root, column);

const keyWith = (table: TableFacts, column: string): string[] => [
  column,
  ...(table.primaryKey.length > 0 ? table.primaryKey : table.identityColumns).filter(
    (name) => name !== column,
  ),
];

/** Builds a key beside the old one and does not block writers; a key that is there already is only appointed. */
const indexRemedy = (table: TableFacts, column: string): string => {
  const key = keyWith(table, column);
  const nullable = key.filter((name) => !table.columns.find((one) => one.name === name)?.notNull);
  const ready = hasKeyOver(table, key)
    ? table.indexes.find(
        (index) =>
          index.unique &&
          index.columns.length === key.length &&
          index.columns.every((name) => key.includes(name)),
      )
    : undefined;
  const index = ready?.name ?? `${table.name}_replica_identity`.slice(0, 63);
  return [
    ...nullable.map(
      (name) => `ALTER TABLE ${quoteTable(table)} ALTER COLUMN ${quoteName(name)} SET NOT NULL;`,
    ),
    ...(ready
      ? []
      : [
          `CREATE UNIQUE INDEX CONCURRENTLY ${quoteName(index)} ON ${quoteTable(table)} (${quoteNames(key)});`,
        ]),
    `ALTER TABLE ${quoteTable(table)} REPLICA IDENTITY USING INDEX ${quoteName(index)};`,
  ].join(' ');
};

/** Partitions do not inherit an identity that is an index or FULL, but they inherit a primary key. */
const primaryKeyRemedy = (root: TableFacts, column: string): string => {
  const old = root.indexes.find((index) => index.primary);
  const drop = old ? `DROP CONSTRAINT ${quoteName(old.name)}, ` : '';
  return `ALTER TABLE ${quoteTable(root)} ${drop}ADD PRIMARY KEY (${quoteNames(keyWith(root, column))});`;
};

/** The next partition begins with REPLICA IDENTITY DEFAULT, whatever its root has. */
const fragile = (root: TableFacts, column: string): Observation[] =>
  root.kind === 'p' && root.identityColumns.includes(column) && !root.primaryKey.includes(column)
    ? [
        {
          on: 'source',
          severity: 'warn',
          seen: `a new partition would not inherit the replica identity, and with ${column} outside the primary key the application's UPDATE in it would fail`,
          remedy: primaryKeyRemedy(root, column),
          code: 'XC-5310',
        },
      ]
    : [];
