/**
 * HMAC-SHA-256 for millions of short fields (RFC 2104; FIPS 198-1). The two padded key blocks are laid out once, and
 * each hash is two one-shot digests over reused memory: about twice as fast as createHmac for every field.
 */

import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;
/** A longer field gets memory of its own, so that one huge value does not stay allocated for good. */
const REUSED_BYTES = 4096;

/** The whole HMAC as 64 lower-case hexadecimal digits. Not re-entrant, and need not be: it never awaits. */
export type KeyedHash = (bytes: Buffer, start: number, end: number) => string;

export const keyedHash = (key: Uint8Array): KeyedHash => {
  const inner = Buffer.alloc(BLOCK_BYTES + REUSED_BYTES);
  const outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES);
  const block = key.length > BLOCK_BYTES ? hash('sha256', key, 'buffer') : key;
  for (let i = 0; i < BLOCK_BYTES; i++) {
    const byte = block[i] ?? 0;
    inner[i] = byte ^ INNER_PAD;
    outer[i] = byte ^ OUTER_PAD;
  }
  const pad = Buffer.from(inner.subarray(0, BLOCK_BYTES));
  // By length of the field: to make a view costs a tenth of a hash.
  const messages: Buffer[] = [];

  return (bytes, start, end) => {
    const length = end - start;
    let message: Buffer;
    if (length <= REUSED_BYTES) {
      bytes.copy(inner, BLOCK_BYTES, start, end);
      message = messages[length] ??= inner.subarray(0, BLOCK_BYTES + length);
    } else {
      message = Buffer.concat([pad, bytes.subarray(start, end)]);
    }
    // A string result is cheaper to make than a Buffer; 'binary' keeps each byte as one character.
    outer.write(hash('sha256', message, 'binary'), BLOCK_BYTES, DIGEST_BYTES, 'binary');
    return hash('sha256', outer, 'hex');
  };
};
