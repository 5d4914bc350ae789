/** Keyed hashing of short fields, here and as Node's own HMAC does it. */

import { createHmac, createSecretKey } from 'node:crypto';
import { DIGITS, keyedHash } from '../../src/core/policy/keyed-hash.ts';
import { cpuRate } from './cpu-rate.ts';

const KEY = Buffer.alloc(32, 7);
const fields = Array.from({ length: 1_024 }, (_, at) => Buffer.from(`customer-${at}@mail.example.org`));

const perSecond = (seconds: number, each: (field: Buffer) => void): number =>
  cpuRate(seconds, () => {
    for (const field of fields) each(field);
    return fields.length;
  });

export const keyedHashRate = (seconds: number): number => {
  const digits = keyedHash(KEY);
  const row = Buffer.alloc(DIGITS);
  return perSecond(seconds, (field) => digits(field, 0, field.length, row, 0, DIGITS));
};

export const hmacRate = (seconds: number): number => {
  const key = createSecretKey(KEY);
  return perSecond(seconds, (field) => void createHmac('sha256', key).update(field).digest('hex'));
};
