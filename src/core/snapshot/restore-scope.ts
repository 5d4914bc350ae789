/** Which tables of a snapshot go where. */

import { XcError } from '../errors/xc-error.ts';
import { matchesPatterns } from '../topology/pattern.ts';
import { tableName, type TableFacts, type TableName } from '../topology/table.ts';
import type { Manifest, SnapshotTable } from './manifest.ts';

export interface RestoredTable {
  readonly of: SnapshotTable;
  readonly schema: string;
  readonly name: string;
  /** On the target. */
  readonly place: TableName;
}

/** @throws XcError XC-1064 */
export const restoredTables = (
  manifest: Manifest,
  { tables, as }: { readonly tables?: readonly string[] | undefined; readonly as?: string | undefined },
): RestoredTable[] => {
  const wanted = manifest.tables.filter(({ table }) => !tables || matchesPatterns(tables, table));
  if (wanted.length === 0)
    throw new XcError('XC-1064', { subject: manifest.id, why: '--tables names none of its tables' });
  const found = wanted.map((of) => {
    const schema = as ?? of.schema;
    return { of, schema, name: of.name, place: tableName({ schema, name: of.name }) };
  });
  const twice = found.find(({ place }, at) => found.findIndex((one) => one.place === place) !== at);
  if (twice)
    throw new XcError('XC-1064', { subject: twice.place, why: 'two tables of the snapshot have this name' });
  return found;
};

/** CORRECTNESS 27: originals are never overwritten by what was made of them. @throws XcError XC-2070 */
export const refuseRedacted = (
  manifest: Manifest,
  tables: readonly RestoredTable[],
  to: { readonly region: string; readonly as?: string | undefined },
): void => {
  if (to.region !== manifest.source.region || to.as !== undefined) return;
  const redacted = tables.filter(
    ({ of }) => of.dropped.length > 0 || of.columns.some(({ action }) => action !== 'allow'),
  );
  if (redacted.length > 0)
    throw new XcError('XC-2070', { subject: redacted.map(({ place }) => place).join(', ') });
};

/** @throws XcError XC-1064 naming every table and column that is not there */
export const placesOfTables = (
  tables: readonly RestoredTable[],
  there: ReadonlyMap<TableName, TableFacts>,
): Map<TableName, TableFacts> => {
  const lacking = tables.flatMap(({ place, of }) => {
    const facts = there.get(place);
    if (!facts) return [place];
    const names = new Set(facts.columns.map(({ name }) => name));
    return of.columns.flatMap(({ name }) => (names.has(name) ? [] : [`${place}.${name}`]));
  });
  if (lacking.length > 0) throw new XcError('XC-1064', { subject: lacking.join(', ') });
  return new Map(tables.map(({ of, place }) => [of.table, there.get(place)!]));
};

/** Text of equal values may differ between two types: then rows are counted, and not compared. */
export const sameTypes = (of: SnapshotTable, facts: TableFacts): boolean =>
  of.columns.every(({ name, type }) => facts.columns.find((one) => one.name === name)?.typeName === type);
