/**
 * A value as text that is the same on both sides when the values are the same, whatever the servers' settings, the
 * column's scale or the padding of its type. Session settings fix the rest (see session.ts). Numbers in arrays
 * count as those of columns do. Inside composites, ranges and jsonb they keep their scale, although PostgreSQL calls them
 * equal, because replication keeps it too: where somebody wrote such a value in another form, it is reported.
 */

import { ident } from '../quote.ts';
import type { ComparedColumn, SideName } from './verify-table.ts';

const NUMBERS = new Set(['int2', 'int4', 'int8', 'numeric']);
const NUMBER_ARRAYS = new Set(['_int2', '_int4', '_int8', '_numeric']);
const TEXTS = new Set(['text', 'varchar', 'bpchar', 'citext', 'name']);

/** SQL of the column's text; NULL stays NULL. The table's alias is t. */
export const valueText = (column: ComparedColumn, side: SideName): string => {
  const value = `t.${ident(column[side].column)}`;
  const types = [column.source, column.target].map((type) => type.name);
  if (types.includes('numeric') && types.every((type) => NUMBERS.has(type)))
    return `trim_scale(${value}::numeric)::text`;
  if (types.includes('bpchar') && types.every((type) => TEXTS.has(type))) return `rtrim(${value}::text, ' ')`;
  if (types.includes('_numeric') && types.every((type) => NUMBER_ARRAYS.has(type)))
    return arrayText(`${value}::numeric[]`, 'trim_scale(e)');
  const { name } = column[side];
  if (name === '_float4' || name === '_float8') return arrayText(value, `(e + '0'::${name.slice(1)})`);
  // -0 equals 0; the sum is 0.
  if (name === 'float4' || name === 'float8') return `(${value} + '0'::${name})::text`;
  // A cast gives the text as it was stored; only the output function leaves out the declaration, as replication does.
  if (name === 'xml') return sentText(value);
  return `${value}::text`;
};

/** Dimensions and elements; NULL stays NULL, and is another than an empty array. */
const arrayText = (value: string, element: string): string =>
  `CASE WHEN ${value} IS NOT NULL THEN coalesce(array_dims(${value}), '') || coalesce(` +
  `(SELECT string_agg(coalesce(${element}::text, 'NULL'), ',' ORDER BY o) FROM unnest(${value}) WITH ORDINALITY AS u (e, o)), '') END`;

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
