/**
 * What broke while either side was altered is no verdict on what is there now: work that rests on two catalogues is
 * judged only when both look as they did when it began. Any interleaving of the same ALTER on both servers ends there.
 */

import { XcError } from '../../../core/errors/xc-error.ts';
import type { Catalogue } from '../../../core/topology/table.ts';
import type { Sides } from './parts.ts';
import { mayPass } from './retry.ts';

/**
 * @param read reads both sides again
 * @returns the error itself where nothing moved, or where it passes anyhow; else XC-5207, after which the work begins
 *   again from its checkpoint with the catalogues of then
 */
export const unlessMoved = async (
  failure: unknown,
  before: Sides,
  read: () => Promise<Sides>,
): Promise<unknown> => {
  if (mayPass(failure)) return failure;
  const now = await readable(read);
  if (now === null || shapeText(now) === shapeText(before)) return failure;
  return new XcError('XC-5207', {
    why: `meanwhile: ${failure instanceof Error ? failure.message : String(failure)}`,
    cause: failure,
  });
};

/** Null where the sides do not even fit so far as to be read; then the first failure says enough. */
const readable = async (read: () => Promise<Sides>): Promise<Sides | null> => {
  try {
    return await read();
  } catch {
    return null;
  }
};

const shapeText = ({ source, target, tables }: Sides): string =>
  JSON.stringify([shapeOf(source), shapeOf(target), [...tables].map(([link, names]) => [link, ...names])]);

/** Without what moves by itself: sizes and statistics. With OIDs and numbers: a table made anew is another. */
const shapeOf = ({ tables, types }: Catalogue): unknown => [
  [...tables.values()].map(({ estimatedRows: _rows, bytes: _bytes, columns, ...table }) => [
    table,
    columns.map(({ correlation: _correlation, ...column }) => column),
  ]),
  [...types.values()].toSorted((a, b) => a.oid - b.oid),
];
