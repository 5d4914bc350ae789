/**
 * A value as text that is the same on both sides when the values are the same, whatever the servers' settings, the
 * column's scale or the padding of its type. Session settings fix the rest (see session.ts). Inside arrays, composites,
 * ranges and jsonb, numbers keep their scale, because replication keeps it too.
 */

import { ident } from '../quote.ts';
import type { ComparedColumn, SideName } from './verify-table.ts';

const NUMBERS = new Set(['int2', 'int4', 'int8', 'numeric']);
const TEXTS = new Set(['text', 'varchar', 'bpchar', 'citext', 'name']);

/** SQL of the column's text; NULL stays NULL. The table's alias is t. */
export const valueText = (column: ComparedColumn, side: SideName): string => {
  const value = `t.${ident(column[side].column)}`;
  const types = [column.source, column.target].map((type) => type.name);
  if (types.includes('numeric') && types.every((type) => NUMBERS.has(type)))
    return `trim_scale(${value}::numeric)::text`;
  if (types.includes('bpchar') && types.every((type) => TEXTS.has(type))) return `rtrim(${value}::text, ' ')`;
  const { name } = column[side];
  // -0 equals 0; the sum is 0.
  if (name === 'float4' || name === 'float8') return `(${value} + '0'::${name})::text`;
  // A cast gives the text as it was stored; only the output function leaves out the declaration, as replication does.
  if (name === 'xml') return sentText(value);
  return `${value}::text`;
};

/**
 * SQL of the text that replication sends: the type's output function, with the padding of char(n). A redacted column
 * is hashed over exactly these bytes.
 */
export const rawText = (column: ComparedColumn): string => {
  const value = `t.${ident(column.source.column)}`;
  return column.source.name === 'bpchar' ? sentText(value) : `${value}::text`;
};

/** concat() calls the output function, but makes an empty text of NULL. */
const sentText = (value: string): string => `CASE WHEN ${value} IS NOT NULL THEN concat(${value}) END`;
