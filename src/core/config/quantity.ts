/**
 * Quantities as people write them: durations ("250ms", "5s", "15m", "2h", "7d") and sizes ("64MiB", "20MB", "512").
 * Inside the program they are milliseconds and bytes.
 */

import { XcError } from '../errors/xc-error.ts';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const UNIT_BYTES: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

const split = (text: string): [amount: number, unit: string] | null => {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(text.trim());
  return match ? [Number(match[1]), match[2] ?? ''] : null;
};

/** Milliseconds, or null when the text is no duration. A bare number is refused: its unit would be a guess. */
export const durationMs = (text: string): number | null => {
  const parts = split(text);
  const unit = parts && UNIT_MS[parts[1]];
  return parts && unit !== undefined && unit !== null ? Math.round(parts[0] * unit) : null;
};

/** Bytes, or null when the text is no size. */
export const sizeBytes = (text: string): number | null => {
  const parts = split(text);
  const unit = parts && UNIT_BYTES[parts[1]];
  return parts && unit !== undefined && unit !== null ? Math.round(parts[0] * unit) : null;
};

/** @throws XcError XC-1004 */
export const parseDuration = (text: string, subject: string): number => {
  const ms = durationMs(text);
  if (ms === null)
    throw new XcError('XC-1004', {
      subject,
      why: `"${text}" is no duration; write it as 250ms, 5s, 15m or 2h`,
    });
  return ms;
};

/** @throws XcError XC-1004 */
export const parseSize = (text: string, subject: string): number => {
  const bytes = sizeBytes(text);
  if (bytes === null)
    throw new XcError('XC-1004', { subject, why: `"${text}" is no size; write it as 64MiB, 20MB or 512` });
  return bytes;
};

const MIB = 2 ** 20;

/** "1.5 GiB", for people; reports carry the bytes beside it where they decide. */
export const sizeText = (bytes: number): string => {
  if (bytes >= 1024 * MIB) return `${(bytes / 1024 / MIB).toFixed(1)} GiB`;
  if (bytes >= MIB) return `${(bytes / MIB).toFixed(1)} MiB`;
  return bytes >= 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${Math.round(bytes)} B`;
};
