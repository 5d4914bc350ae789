/**
 * The directory .xcrepl: plans, and for each run its plan and journal. It is history for people and reports; what
 * decides is in the target database, so another host can go on without it.
 */

import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { XcError } from '../../core/errors/xc-error.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { Journal, JournalEntry, RunStore, StoredRun } from '../../core/run/journal.ts';
import { parsePlan } from '../../core/run/plan-file.ts';
import { guarded, syncDirectory, writeDurably } from './durable-file.ts';
import { isErrno } from '../../core/errors/errno.ts';
import { readTextIfPresent } from './files.ts';

const SCHEMA_VERSION = 1;

export interface StateDirectory extends RunStore {
  readonly path: string;
  planPath(id: string): string;
}

/** Opens the directory, and creates it where it is missing. @throws XcError XC-6002, XC-3012 */
export const openStateDirectory = async (path: string): Promise<StateDirectory> => {
  const statePath = join(path, 'state.json');
  const text = await guarded(statePath, () => readTextIfPresent(statePath));
  if (text === null) await writeDurably(statePath, `${JSON.stringify({ schemaVersion: SCHEMA_VERSION })}\n`);
  else refuseNewer(text, statePath);
  return stateDirectory(path);
};

/** For reading alone: creates and checks nothing. */
export const stateDirectory = (path: string): StateDirectory => {
  const planPath = (id: string): string => join(path, 'plans', `${id}.json`);
  const runPath = (run: string, file: string): string => join(path, 'runs', run, file);
  return {
    path,
    planPath,
    savePlan: (plan) => writeDurably(planPath(plan.id), planText(plan)),
    async begin(run, plan) {
      await writeDurably(runPath(run, 'plan.json'), planText(plan));
      return openJournal(runPath(run, 'journal.ndjson'), join(path, 'runs', run));
    },
    async read(run): Promise<StoredRun | null> {
      const planFile = runPath(run, 'plan.json');
      const planned = await guarded(planFile, () => readTextIfPresent(planFile));
      if (planned === null) return null;
      const journalFile = runPath(run, 'journal.ndjson');
      const written = (await guarded(journalFile, () => readTextIfPresent(journalFile))) ?? '';
      return { run, plan: parsePlan(planned, planFile), entries: parseJournal(written, journalFile) };
    },
    /** Run ids are ULIDs, whose order is that of time. */
    async runs() {
      const names = await guarded(path, () => listIfPresent(join(path, 'runs')));
      return names.toSorted().toReversed();
    },
  };
};

const planText = (plan: Plan): string => `${JSON.stringify(plan, null, 2)}\n`;

const listIfPresent = async (path: string): Promise<string[]> => {
  try {
    return await readdir(path);
  } catch (error) {
    if (isErrno(error) && error.code === 'ENOENT') return [];
    throw error;
  }
};

const refuseNewer = (text: string, path: string): void => {
  let version: unknown;
  try {
    version = (JSON.parse(text) as { schemaVersion?: unknown }).schemaVersion;
  } catch (error) {
    throw new XcError('XC-6002', { subject: path, why: 'it is damaged: no JSON', cause: error });
  }
  if (typeof version !== 'number' || version > SCHEMA_VERSION)
    throw new XcError('XC-3012', {
      subject: path,
      why: `schema version ${String(version)}; this program knows ${SCHEMA_VERSION}`,
    });
};

/** A new journal. Appends one line an entry, and syncs each before it counts as written. */
const openJournal = async (path: string, directory: string): Promise<Journal> => {
  await guarded(path, async () => {
    await using file = await open(path, 'wx');
    await file.sync();
    await syncDirectory(directory);
  });
  let bytes = 0;
  return {
    append: (entry) =>
      guarded(path, async () => {
        const line = `${JSON.stringify(entry)}\n`;
        await using file = await open(path, 'r+');
        // A write that failed half-way (a full disk) left a torn line: the next one begins where the last good one ended.
        await file.truncate(bytes);
        await file.write(line, bytes);
        await file.datasync();
        bytes += Buffer.byteLength(line);
      }),
  };
};

/**
 * A crash can tear the last line only: it was never acknowledged, so it is left out. Any other damage is an error.
 * @throws XcError XC-6002 damaged, XC-3012 newer
 */
export const parseJournal = (text: string, subject: string): JournalEntry[] => {
  const lines = text.split('\n');
  const torn = lines.pop() ?? '';
  const entries = lines.map((line, at) => parseEntry(line, subject, at));
  const last = torn === '' ? null : parseJson(torn);
  return isEntry(last) ? [...entries, last] : entries;
};

const parseEntry = (line: string, subject: string, at: number): JournalEntry => {
  const entry = parseJson(line);
  const version = (entry as { schemaVersion?: unknown } | null)?.schemaVersion;
  if (typeof version === 'number' && version > SCHEMA_VERSION)
    throw new XcError('XC-3012', { subject, why: `line ${at + 1} has schema version ${version}` });
  if (!isEntry(entry)) throw new XcError('XC-6002', { subject, why: `line ${at + 1} is damaged` });
  return entry;
};

const parseJson = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
};

const isEntry = (value: unknown): value is JournalEntry =>
  typeof value === 'object' &&
  value !== null &&
  'seq' in value &&
  'step' in value &&
  'event' in value &&
  'at' in value;
