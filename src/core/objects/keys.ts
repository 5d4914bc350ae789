/** Keys of objects: what may be one, and their order, which every store lists in. */

import { Buffer } from 'node:buffer';
import { XcError } from '../errors/xc-error.ts';

/** S3, "Object key naming guidelines": 1,024 bytes of UTF-8; Azure allows 1,024 characters, GCS 1,024 bytes. */
export const LONGEST_KEY_BYTES = 1024;

/** The key itself, once it is known to be one in every store: XC-5404. */
export const nameFor = (place: string, key: string): string => {
  const refuse = (why: string): never => {
    throw new XcError('XC-5404', { subject: `${place} ${JSON.stringify(key)}`, why });
  };
  if (key === '') refuse('it is empty');
  if (Buffer.byteLength(key) > LONGEST_KEY_BYTES) refuse(`longer than ${LONGEST_KEY_BYTES} bytes`);
  if (!key.isWellFormed()) refuse('it is no Unicode text');
  if (key.includes('\0')) refuse('it holds a NUL');
  return key;
};

/** By the bytes of UTF-8, which is S3's order: JavaScript's own, by UTF-16 units, differs past U+FFFF. */
export const compareKeys = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const [one, other] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (one === other) continue;
    const surrogates = Number(one >= 0xd800 && one < 0xe000) - Number(other >= 0xd800 && other < 0xe000);
    return surrogates === 0 ? one - other : surrogates;
  }
  return a.length - b.length;
};
