/** Rows of the target by their keys, with where they lie: read and written while nothing else writes the table. */

import type { Client } from 'pg';
import { addRow, keyId, NO_ROWS, type Digest } from '../../../core/validation/compare/digest.ts';
import type { Candidate } from '../../../core/validation/compare/side.ts';
import { ident, qualified } from '../quote.ts';
import { rowHash } from './row-hash.ts';
import { candidatesFrom, identitySql, type SqlContext } from './sql.ts';

export interface TargetRows extends Digest {
  readonly places: readonly { readonly table: string; readonly ctid: string }[];
}

type Row = [hash: string, table: string, ctid: string, tenant: string | null, ...key: (string | null)[]];

/** By keyId. */
export const readTargetRows = async (
  client: Client,
  context: SqlContext,
  candidates: readonly Candidate[],
): Promise<ReadonlyMap<string, TargetRows>> => {
  const select = `SELECT (${rowHash(context)})::text, t.tableoid::text, t.ctid::text, ${identitySql(context).join(', ')}`;
  const { rows } = await client.query<Row>({
    text: `${select} ${candidatesFrom(context, candidates)}`,
    rowMode: 'array',
  });
  const found = new Map<string, TargetRows>();
  for (const [hash, table, ctid, tenant, ...key] of rows) {
    const id = keyId(key, tenant);
    const before = found.get(id);
    found.set(id, {
      ...addRow(before ?? NO_ROWS, BigInt(hash)),
      places: [...(before?.places ?? []), { table, ctid }],
    });
  }
  return found;
};

type Values = readonly (string | null)[];

/**
 * Makes the rows of one key what the source has. One row of either side is updated, so that what the target alone keeps
 * in it stays; otherwise all of the key are replaced.
 * @returns rows written and rows deleted
 */
export const writeRows = async (
  client: Client,
  { unit }: SqlContext,
  there: TargetRows | undefined,
  values: readonly Values[],
): Promise<{ readonly rows: number; readonly deleted: number }> => {
  const table = qualified(unit.table.target);
  const names = unit.columns.map(({ target }) => ident(target.column));
  const places = there?.places ?? [];
  const [first] = values;
  const settable = unit.columns.flatMap((column, at) => (unit.key.includes(column) ? [] : [at]));
  if (first && values.length === 1 && places.length === 1 && unit.key.length > 0 && settable.length > 0) {
    const set = settable.map((at, i) => `${names[at]} = $${i + 3}`).join(', ');
    const { table: oid, ctid } = places[0]!;
    await client.query(`UPDATE ${table} SET ${set} WHERE tableoid = $1::oid AND ctid = $2::tid`, [
      oid,
      ctid,
      ...settable.map((at) => first[at]),
    ]);
    return { rows: 1, deleted: 0 };
  }
  for (const place of places)
    await client.query(`DELETE FROM ${table} WHERE tableoid = $1::oid AND ctid = $2::tid`, [
      place.table,
      place.ctid,
    ]);
  const parameters = names.map((_, i) => `$${i + 1}`).join(', ');
  for (const row of values)
    await client.query(
      `INSERT INTO ${table} (${names.join(', ')}) OVERRIDING SYSTEM VALUE VALUES (${parameters})`,
      [...row],
    );
  return { rows: values.length, deleted: Math.max(0, places.length - values.length) };
};
