/** OIDs of the target tables' row types and of the arrays of them: what set-wise statements take as their parameter. */

import type { Client } from 'pg';
import type { RowType } from '../target/target-table.ts';

export const readRowTypes = async (
  client: Client,
  oids: readonly number[],
): Promise<Map<number, RowType>> => {
  const { rows } = await client.query<{ oid: number; row: string; array: string }>(
    `SELECT c.oid, t.oid::int8 AS row, t.typarray::int8 AS array
       FROM pg_class c JOIN pg_type t ON t.oid = c.reltype
      WHERE c.oid = ANY ($1::oid[])`,
    [oids],
  );
  return new Map(rows.map(({ oid, row, array }) => [oid, { row: Number(row), array: Number(array) }]));
};
