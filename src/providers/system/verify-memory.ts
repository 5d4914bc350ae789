/**
 * How far a verification came, in .xcrepl/verify: what `verify --resume` goes on from. It decides nothing but what is
 * not compared again, so a file that does not fit is left aside.
 */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CompareMemory, UnitProgress } from '../../core/validation/compare/compare-unit.ts';
import type { Clock } from '../../core/time/clock.ts';
import { guarded, writeDurably } from './durable-file.ts';
import { readTextIfPresent } from './files.ts';

const SCHEMA_VERSION = 1;
/** A write to the disk for each small table would cost more than comparing it again. */
const WRITE_EVERY_MS = 1_000;

export interface VerifyMemory extends CompareMemory {
  /** Of the hashes and the sample; kept, so that what goes on draws the same sample. */
  readonly seed: string;
  /** Units that were compared before. */
  readonly resumed: number;
  /** Writes what was not written yet. */
  flush(): Promise<void>;
  /** The verification came to its end. */
  forget(): Promise<void>;
}

interface Stored {
  readonly schemaVersion: number;
  readonly key: string;
  readonly seed: string;
  readonly units: Readonly<Record<string, UnitProgress>>;
}

/**
 * @param key of what is compared, and how: another comparison goes on from nothing
 * @param resume false begins anew
 * @throws XcError XC-6002 where the file can be neither read nor written
 */
export const openVerifyMemory = async (
  directory: string,
  { key, seed, resume }: { readonly key: string; readonly seed: string; readonly resume: boolean },
  clock: Clock,
): Promise<VerifyMemory> => {
  const path = join(directory, 'verify', `${key}.json`);
  const before = resume ? parse(await guarded(path, () => readTextIfPresent(path)), key) : null;
  const units = new Map(Object.entries(before?.units ?? {}));
  let writtenMs = clock.nowMs();
  let isWritten = true;
  let last: Promise<void> = Promise.resolve();
  const flush = async (): Promise<void> => {
    if (isWritten) return await last;
    isWritten = true;
    writtenMs = clock.nowMs();
    const stored: Stored = {
      schemaVersion: SCHEMA_VERSION,
      key,
      seed: before?.seed ?? seed,
      units: Object.fromEntries(units),
    };
    const text = `${JSON.stringify(stored)}\n`;
    last = last.then(() => writeDurably(path, text, 0o600));
    await last;
  };
  return {
    seed: before?.seed ?? seed,
    resumed: units.size,
    read: (unit) => units.get(unit) ?? null,
    async write(unit, progress) {
      units.set(unit, progress);
      isWritten = false;
      if (clock.nowMs() - writtenMs >= WRITE_EVERY_MS) await flush();
    },
    flush,
    async forget() {
      isWritten = true;
      await last;
      await guarded(path, () => rm(path, { force: true }));
    },
  };
};

const parse = (text: string | null, key: string): Stored | null => {
  try {
    const stored = JSON.parse(text ?? 'null') as Stored | null;
    return stored?.schemaVersion === SCHEMA_VERSION && stored.key === key ? stored : null;
  } catch {
    return null;
  }
};
