/** Ranges of an object as every store reads them: what lies past its end is nothing, and no error. */

import { isXcError } from '../errors/xc-error.ts';
import type { ByteRange } from './object-store.ts';

/** RFC 9110, section 14.1.2; it cannot say an empty range, see `withinEnd`. */
export const rangeHeader = (range: ByteRange | undefined): string | undefined =>
  range === undefined ? undefined : `bytes=${range.first}-${range.end === undefined ? '' : range.end - 1}`;

/** RFC 9110, section 15.5.17: the range begins at or behind the object's end. */
const isPastEnd = (error: unknown): boolean => isXcError(error) && error.facts['status'] === 416;

export async function* withinEnd(
  range: ByteRange | undefined,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (range?.end !== undefined && range.end <= range.first) return;
  try {
    yield* body;
  } catch (error) {
    if (range === undefined || !isPastEnd(error)) throw error;
  }
}
