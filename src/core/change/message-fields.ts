/** Bounds, flags and texts of pgoutput's messages: whatever does not fit is XC-5201, never a guess. */

import { XcError } from '../errors/xc-error.ts';

/** Names decide which table and column a value goes to: bytes that are no UTF-8 are an error there, never another name. */
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** What another application put into a message is its own business, and no reason to stop. */
const lenient = new TextDecoder('utf-8', { ignoreBOM: true });

export const malformed = (what: string): XcError => new XcError('XC-5201', { subject: what });

export const need = (at: number, length: number, end: number, what: string): void => {
  if (at + length > end) throw malformed(`${what} past the message`);
};

/** Trailing bytes say that the message is of a form that we do not know, and so that the rest was misread. */
export const exactly = (next: number, end: number, what: string): void => {
  if (next !== end) throw malformed(`${what} with trailing bytes`);
};

/** Flags that we do not know may change what the message means. */
export const flagsOf = (bytes: Uint8Array, at: number, known: number, what: string): number => {
  const flags = bytes[at] ?? 0;
  if ((flags & ~known) !== 0) throw malformed(`${what} with flags ${flags}`);
  return flags;
};

type TextAndNext = [value: string, next: number];

/** The zero-terminated name of something in the catalogue. @throws XcError XC-5201 */
export const nameText = (bytes: Uint8Array, at: number, end: number): TextAndNext => {
  const stop = terminator(bytes, at, end);
  try {
    return [strict.decode(bytes.subarray(at, stop)), stop + 1];
  } catch {
    throw malformed('name that is no UTF-8');
  }
};

/** A zero-terminated text that others chose. @throws XcError XC-5201 */
export const foreignText = (bytes: Uint8Array, at: number, end: number): TextAndNext => {
  const stop = terminator(bytes, at, end);
  return [lenient.decode(bytes.subarray(at, stop)), stop + 1];
};

const terminator = (bytes: Uint8Array, at: number, end: number): number => {
  const stop = bytes.indexOf(0, at);
  if (stop < 0 || stop >= end) throw malformed('text without its end');
  return stop;
};
