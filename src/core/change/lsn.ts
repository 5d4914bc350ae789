/**
 * A log sequence number: a byte position in the write-ahead log, compared as a number and never as text.
 * Text form: two hexadecimal halves, "0/1A2B" (PostgreSQL documentation, 8.20 pg_lsn Type).
 */

import { XcError } from '../errors/xc-error.ts';

export type Lsn = bigint & { readonly __lsn: never };

const PATTERN = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/;

export const lsnOf = (value: bigint): Lsn => value as Lsn;

export const ZERO_LSN = lsnOf(0n);

/** @throws XcError XC-1004 when the text is no LSN. */
export const parseLsn = (text: string): Lsn => {
  const match = PATTERN.exec(text);
  if (!match)
    throw new XcError('XC-1004', { subject: text, why: 'an LSN is two hexadecimal halves, as in 0/1A2B' });
  return lsnOf((BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`));
};

export const formatLsn = (lsn: Lsn): string =>
  `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffffffffn).toString(16).toUpperCase()}`;

export const maxLsn = (a: Lsn, b: Lsn): Lsn => (a >= b ? a : b);
export const minLsn = (a: Lsn, b: Lsn): Lsn => (a <= b ? a : b);
