/**
 * What tables and columns are called on the target, by the `map` of a rule. Everything else in the program speaks of a
 * table by its name at the source; a name of the target is made here, and only where a statement for the target needs it.
 */

import { patternPart, splitName, splitTable, tableName } from './table-name.ts';
import type { RuleConfig } from '../config/schema.ts';
import { matchesPatterns } from './pattern.ts';
import type { TableName } from './table.ts';

export type NameMap = NonNullable<RuleConfig['map']>;

/** As PostgreSQL folds a name without quotes in UTF-8: ASCII letters only (downcase_identifier in scansup.c). */
const lower = (name: string): string => name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

const cased = (map: NameMap, name: string): string => (map.case === 'lower' ? lower(name) : name);

const own = (record: Readonly<Record<string, string>> | undefined, key: string): string | undefined =>
  record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;

/** The table that holds the rows on the target: named itself, or in the schema that stands for its own. */
export const targetTable = (map: NameMap | undefined, table: TableName): TableName => {
  if (!map) return table;
  const named = own(map.tables, table);
  if (named !== undefined) return named;
  const { schema, name } = splitTable(table);
  return tableName({ schema: targetSchema(map, schema), name: cased(map, name) });
};

export const targetSchema = (map: NameMap | undefined, schema: string): string =>
  map ? (own(map.schemas, schema) ?? cased(map, schema)) : schema;

/** @param table its name at the source */
export const targetColumn = (map: NameMap | undefined, table: TableName, column: string): string => {
  if (!map) return column;
  const columns =
    map.columns !== undefined && Object.hasOwn(map.columns, table) ? map.columns[table] : undefined;
  return own(columns, column) ?? cased(map, column);
};

/**
 * Patterns that every table on the target matches which the rule may write to: more than it does write to, where the
 * source's names are not known. Exclusions are not among them.
 */
export const targetPatterns = ({ tables = [], map }: Pick<RuleConfig, 'tables' | 'map'>): string[] => {
  const included = tables.filter((pattern) => !pattern.startsWith('!'));
  if (!map) return included;
  const mapped = included.flatMap((pattern) => {
    const [from, name] = splitName(pattern)!;
    const table = patternPart({ ...name, text: cased(map, name.text) });
    const schema = patternPart(from);
    const others = Object.entries(map.schemas ?? {})
      .filter(([each]) => matchesPatterns([`${schema}.x`], tableName({ schema: each, name: 'x' })))
      .map(([, to]) => `${patternPart({ text: to, quoted: true })}.${table}`);
    return [`${patternPart({ ...from, text: targetSchema(map, from.text) })}.${table}`, ...others];
  });
  return [...new Set([...mapped, ...Object.values(map.tables ?? {})])];
};
