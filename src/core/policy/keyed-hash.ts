/**
 * HMAC-SHA-256 for millions of short fields (RFC 2104; FIPS 198-1). What the key contributes is computed once: each hash
 * goes on from the states behind the two padded key blocks, in memory that is used again and again. Long fields, and all
 * fields where WebAssembly is missing or OpenSSL has to be the certified one, are hashed by OpenSSL.
 */

import { Buffer } from 'node:buffer';
import { getFips, hash } from 'node:crypto';
import { openSha256, BLOCK_BYTES, DIGEST_BYTES, type Sha256 } from './sha256.ts';

const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
/** Past this OpenSSL's faster blocks make up for its calls (docs/benchmarks.md, `keyed-hash`). */
const SHORT_BYTES = 512;

/** The digits of a whole HMAC: 64, hexadecimal and lower-case. */
export const DIGITS = 2 * DIGEST_BYTES;

/**
 * Writes the first `length` digits of the HMAC of bytes[start, end) into `target` at `at`. Not re-entrant, and need not
 * be: it never awaits.
 */
export type KeyedHash = (
  bytes: Buffer,
  start: number,
  end: number,
  target: Buffer,
  at: number,
  length: number,
) => void;

export const keyedHash = (key: Uint8Array): KeyedHash => {
  const pads = paddedKeys(key);
  const long = hashWithOpenSsl(pads);
  const sha256 = getFips() === 0 ? openSha256() : null;
  if (!sha256) return long;
  const short = hashInMemory(sha256, pads);
  return (bytes, start, end, target, at, length) => {
    (end - start <= SHORT_BYTES ? short : long)(bytes, start, end, target, at, length);
  };
};

interface PaddedKeys {
  readonly inner: Buffer;
  readonly outer: Buffer;
}

const paddedKeys = (key: Uint8Array): PaddedKeys => {
  const block = key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key;
  const padded = (pad: number): Buffer =>
    Buffer.from(Array.from({ length: BLOCK_BYTES }, (_, at) => (block[at] ?? 0) ^ pad));
  return { inner: padded(INNER_PAD), outer: padded(OUTER_PAD) };
};

const hashWithOpenSsl =
  ({ inner, outer }: PaddedKeys): KeyedHash =>
  (bytes, start, end, target, at, length) => {
    const digest = hash('sha256', Buffer.concat([inner, bytes.subarray(start, end)]), 'buffer');
    target.write(hash('sha256', Buffer.concat([outer, digest]), 'hex'), at, length, 'latin1');
  };

/** Where things lie in the memory of one key. The message is padded in place, and padding may reach past its last block. */
const INNER = 0;
const OUTER = INNER + DIGEST_BYTES;
const STATE = OUTER + DIGEST_BYTES;
const OUTER_MESSAGE = STATE + DIGEST_BYTES;
const MESSAGE = OUTER_MESSAGE + BLOCK_BYTES;

const END_OF_MESSAGE = 0x80;
/** Of the length in bits, at the end of the last block. */
const LENGTH_BYTES = 8;

const hashInMemory = ({ memory, initial, compress }: Sha256, { inner, outer }: PaddedKeys): KeyedHash => {
  for (const [pad, state] of [
    [inner, INNER],
    [outer, OUTER],
  ] as const) {
    initial.copy(memory, STATE);
    pad.copy(memory, MESSAGE);
    compress(MESSAGE, STATE, state);
  }
  memory.fill(0, STATE);
  endMessage(memory, OUTER_MESSAGE, DIGEST_BYTES);
  return (bytes, start, end, target, at, length) => {
    copyShort(bytes, start, end, memory, MESSAGE);
    const last = endMessage(memory, MESSAGE, end - start);
    let state = INNER;
    for (let block = MESSAGE; block < last; block += BLOCK_BYTES) {
      compress(block, state, STATE);
      state = STATE;
    }
    compress(last, state, OUTER_MESSAGE);
    compress(OUTER_MESSAGE, OUTER, STATE);
    for (let digit = 0; digit < length; digit++) {
      const byte = memory[STATE + (digit >> 1)]!;
      target[at + digit] = HEX[(digit & 1) === 0 ? byte >> 4 : byte & 0x0f]!;
    }
  };
};

const HEX = Buffer.from('0123456789abcdef');

/** Bytes up to which a loop is cheaper than a call into native code. */
const BY_HAND = 48;

const copyShort = (bytes: Buffer, start: number, end: number, target: Buffer, at: number): void => {
  if (end - start > BY_HAND) bytes.copy(target, at, start, end);
  else for (let from = start; from < end; from++) target[at++] = bytes[from]!;
};

/**
 * Pads a message that goes on behind one block of key (FIPS 180-4, section 5.1.1).
 * @returns where its last block begins
 */
const endMessage = (memory: Buffer, start: number, length: number): number => {
  const blocks = Math.ceil((length + 1 + LENGTH_BYTES) / BLOCK_BYTES);
  const end = start + blocks * BLOCK_BYTES;
  const bits = (BLOCK_BYTES + length) * 8;
  let at = start + length;
  memory[at++] = END_OF_MESSAGE;
  while (at < end - 4) memory[at++] = 0;
  memory[at++] = bits >>> 24;
  memory[at++] = bits >>> 16;
  memory[at++] = bits >>> 8;
  memory[at] = bits;
  return end - BLOCK_BYTES;
};
