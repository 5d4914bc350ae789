/** A snapshot that is begun and has no manifest: what was asked for, how tables are cut, and the parts that are there. */

import * as z from 'zod/mini';
import { begunOf, partSchema } from './manifest.ts';

export const partRecordSchema = partSchema;

export const begunSchema = z.strictObject({
  schemaVersion: z.literal(1),
  id: z.string(),
  /** Hex digest of what was asked for: only the same request goes on with it. */
  request: z.string(),
  startedAt: z.iso.datetime(),
  /** Pages of a part, by table. */
  cuts: z.record(z.string(), z.int()),
});

export type Begun = z.output<typeof begunSchema>;

export const begunKey = (id: string): string => `${begunOf(id)}begun.json`;

/** The id of a key that says that a snapshot is begun, or null. */
export const idOfBegun = (key: string): string | null =>
  /^snapshots\/begun\/(sn_[0-9A-Z]{26})\/begun\.json$/.exec(key)?.[1] ?? null;

/** Of one part; with '' as number, what all of them begin with. */
export const recordKey = (id: string, number: number | ''): string =>
  `${begunOf(id)}part-${number === '' ? '' : `${String(number).padStart(6, '0')}.json`}`;
