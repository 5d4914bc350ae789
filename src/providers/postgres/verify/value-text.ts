/**
 * A value as text that is the same on both sides when the values are the same, whatever the servers' settings, the scale
 * of numbers, the sign of a zero or the padding of char(n): in columns, and inside arrays, composites, ranges, domains and
 * jsonb. Session settings fix the rest (see session.ts).
 */

import { ident, literal } from '../quote.ts';
import type { TypeShape } from './type-shape.ts';
import type { ComparedColumn, SideName } from './verify-table.ts';

const NUMBERS = new Set(['int2', 'int4', 'int8', 'numeric']);
const TEXTS = new Set(['text', 'varchar', 'bpchar', 'citext', 'name']);

/** SQL of the column's text; NULL stays NULL. The table's alias is t. */
export const valueText = (column: ComparedColumn, side: SideName): string => {
  const value = `t.${ident(column[side].column)}`;
  return canonical(value, shapesOf(column, side), side, 0) ?? `${value}::text`;
};

/** Whether the text is one that the type reads back: that of an array or range whose elements are put right is not. */
export const isReadable = (column: ComparedColumn, side: SideName): boolean => {
  const shapes = shapesOf(column, side);
  return shapes[0].kind === 'plain' || canonical('v', shapes, side, 0) === null;
};

/** This side's and the other's. */
type Shapes = readonly [own: TypeShape, other: TypeShape];

const shapesOf = ({ source, target }: ComparedColumn, side: SideName): Shapes =>
  side === 'source' ? [source.shape, target.shape] : [target.shape, source.shape];

/**
 * SQL of the text, or null where the type's own output is the same for the same values.
 * @param depth of nested selects: each has names of its own
 */
const canonical = (value: string, [own, other]: Shapes, side: SideName, depth: number): string | null => {
  if (own.kind !== other.kind) return null;
  switch (own.kind) {
    case 'plain':
      return plainText(value, own.name, other.name);
    case 'array':
      return arrayText(value, [own.of!, other.of!], side, depth + 1);
    case 'composite':
      return compositeText(value, [own, other], side, depth);
    case 'range':
      return rangeText(value, [own.of!, other.of!], side, depth);
    case 'multirange': {
      const range = rangeText(`r${depth}`, [own.of!, other.of!], side, depth + 1);
      const ranges = `unnest(${value}) WITH ORDINALITY AS m${depth} (r${depth}, o${depth})`;
      return range === null
        ? null
        : whereNotNull(
            value,
            `coalesce((SELECT string_agg(${range}, ',' ORDER BY o${depth}) FROM ${ranges}), '')`,
          );
    }
  }
};

const plainText = (value: string, name: string, other: string): string | null => {
  const both = [name, other];
  if (both.includes('numeric') && both.every((each) => NUMBERS.has(each)))
    return `trim_scale(${value}::numeric)::text`;
  if (both.includes('bpchar') && both.every((each) => TEXTS.has(each))) return `rtrim(${value}::text, ' ')`;
  // -0 equals 0; the sum is 0.
  if (name === 'float4' || name === 'float8') return `(${value} + '0'::${name})::text`;
  if (name === 'jsonb') return jsonText(value);
  // A cast gives the text as it was stored; only the output function leaves out the declaration, as replication does.
  return name === 'xml' ? sentText(value) : null;
};

/** NULL stays NULL; a composite of NULLs is another. */
const whereNotNull = (value: string, text: string): string =>
  `CASE WHEN ${value} IS DISTINCT FROM NULL THEN ${text} END`;

/** Dimensions and elements; NULL is another than an empty array. */
const arrayText = (value: string, shapes: Shapes, side: SideName, depth: number): string | null => {
  const element = canonical(`e${depth}`, shapes, side, depth);
  if (element === null) return null;
  // A composite that unnest() gives in FROM would fall into its attributes.
  const elements = `(SELECT unnest(${value}) AS e${depth}) AS u${depth}`;
  const numbered = `(SELECT e${depth}, row_number() OVER () AS o${depth} FROM ${elements}) AS n${depth}`;
  const list = `string_agg(coalesce(quote_literal(${element}), 'NULL'), ',' ORDER BY o${depth})`;
  return whereNotNull(
    value,
    `coalesce(array_dims(${value}), '') || coalesce((SELECT ${list} FROM ${numbered}), '')`,
  );
};

const compositeText = (value: string, [own, other]: Shapes, side: SideName, depth: number): string | null => {
  if (own.attributes.length !== other.attributes.length) return null;
  let isPlain = true;
  const parts = own.attributes.map(({ name, type }, at) => {
    const part = `(${value}).${ident(name)}`;
    const text = canonical(part, [type, other.attributes[at]!.type], side, depth);
    if (text !== null) isPlain = false;
    return text ?? `${part}::text`;
  });
  return isPlain ? null : whereNotNull(value, `ARRAY[${parts.join(', ')}]::text`);
};

const rangeText = (value: string, shapes: Shapes, side: SideName, depth: number): string | null => {
  const [lower, upper] = ['lower', 'upper'].map((end) => canonical(`${end}(${value})`, shapes, side, depth));
  if (lower === null || upper === null) return null;
  const text = `concat_ws(',', lower_inc(${value}), lower_inf(${value}), upper_inc(${value}), upper_inf(${value}), ${lower}, ${upper})`;
  return whereNotNull(value, `CASE WHEN isempty(${value}) THEN 'empty' ELSE ${text} END`);
};

/** jsonb prints numbers as numeric does, without exponents; a text in quotes is passed as a whole. */
const ZEROS_BEHIND = '\\.\\d*0(?!\\d)';
const TEXT_OR_NUMBER = '("(?:[^"\\\\]|\\\\.)*")|(\\d+\\.\\d*[1-9])0+(?!\\d)|(\\d+)\\.0+(?!\\d)';

/** Keys of jsonb are in an order of their own already; only the scale of its numbers is as it was written. */
const jsonText = (value: string): string => {
  const text = `${value}::text COLLATE "C"`;
  const trimmed = `regexp_replace(${text}, ${literal(TEXT_OR_NUMBER)}, ${literal('\\1\\2\\3')}, 'g')`;
  return `CASE WHEN ${text} ~ ${literal(ZEROS_BEHIND)} THEN ${trimmed} ELSE ${text} END`;
};

/**
 * SQL of the text that replication sends: the type's output function, with the padding of char(n). A redacted column
 * is hashed over exactly these bytes.
 */
export const rawText = (column: ComparedColumn): string => {
  const value = `t.${ident(column.source.column)}`;
  return column.source.name === 'bpchar' || column.source.name === 'xml' ? sentText(value) : `${value}::text`;
};

/** concat() calls the output function, but makes an empty text of NULL. */
const sentText = (value: string): string => `CASE WHEN ${value} IS NOT NULL THEN concat(${value}) END`;
