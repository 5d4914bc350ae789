/**
 * One sync from its plan to its manifest: copies and proofs, a closing look at both sides, deletions only behind a look
 * that found everything in place, and what the target was proven to hold. Where it was cut short, the next plan contains
 * what is missing.
 */

import type { XcError } from '../errors/xc-error.ts';
import { preconditionFailed } from '../objects/store-errors.ts';
import { carryOut, type Result } from './carry-out.ts';
import { closingLook, type Meanwhile } from './closing-look.ts';
import { abandonLeftUploads } from './copy-parts.ts';
import { deleteExtra } from './deletions.ts';
import type { Entry, ManifestEntry } from './entry.ts';
import type { KeyFilter } from './filter.ts';
import { manifestLine, readManifest } from './manifest.ts';
import type { MirrorPorts } from './ports.ts';
import type { Tallying } from './tally.ts';

/** A local file of this run: lines of what was proven, in order. */
export interface Spool {
  append(bytes: Uint8Array): Promise<void>;
  read(): AsyncIterable<Uint8Array>;
}

export interface SessionParts {
  readonly ports: MirrorPorts;
  readonly filter: KeyFilter;
  /** The plan's entries in their order; read more than once. */
  readonly entries: () => AsyncIterable<Entry>;
  readonly deletions: number;
  readonly spool: Spool;
  readonly tally: Tallying;
  readonly plannedAtMs: number;
  /** Told of each result. */
  readonly done: (result: Result) => void;
}

export interface Failure {
  readonly key: string;
  readonly error: XcError;
}

export interface SessionOutcome {
  readonly kept: number;
  readonly copied: number;
  readonly replaced: number;
  readonly deleted: number;
  readonly bytesSent: number;
  readonly attested: number;
  readonly readBack: number;
  readonly recorded: number;
  /** All of them; `failures` names the first ones. */
  readonly failed: number;
  readonly failures: readonly Failure[];
  /** What changed at the source while the sync ran, the first ones; the next sync takes it up. */
  readonly meanwhile: readonly Meanwhile[];
  readonly meanwhileTotal: number;
  /** Set where deletions were planned and something failed before. */
  readonly deletionsSkipped: number;
  /** Whether anything at the target is another than before, or was proven anew. */
  readonly changed: boolean;
  /** What the target holds, in order. */
  readonly proven: () => AsyncIterable<ManifestEntry>;
}

/** Failures that are named; more are counted. Beyond the second number a run stops: so many are one fault, not many. */
const NAMED = 1_000;
const MOST_FAILURES = 10_000;

/** @throws XcError what stops everything: an abort, a full disk, an error of a listing */
export const runSession = async (parts: SessionParts): Promise<SessionOutcome> => {
  const { ports, entries, deletions } = parts;
  const copying = await copyAll(parts);
  const { counts, failures } = copying;
  const changed = counts.copied + counts.replaced + counts['read-back'] + counts.attested > 0;
  const meanwhile =
    changed || deletions > 0
      ? await lookAgain(parts, copying)
      : { named: [], total: 0, lost: new Set<string>() };
  let deleted = 0;
  const clean = failures.total === 0;
  if (clean && deletions > 0)
    for await (const { key, error } of deleteExtra(entries(), ports))
      if (error === null) deleted += 1;
      else failures.add(key, error);
  if (failures.total === 0 && changed) await abandonLeftUploads(ports);
  return {
    kept: counts.kept,
    copied: counts.copied,
    replaced: counts.replaced,
    deleted,
    attested: counts.attested,
    readBack: counts['read-back'],
    recorded: counts.recorded,
    bytesSent: counts.bytesSent,
    failed: failures.total,
    failures: failures.named,
    meanwhile: meanwhile.named,
    meanwhileTotal: meanwhile.total,
    deletionsSkipped: clean ? 0 : deletions,
    changed: changed || deleted > 0,
    proven: () => without(provenBy(parts.spool), meanwhile.lost),
  };
};

class Failures {
  readonly named: Failure[] = [];
  readonly keys = new Set<string>();
  total = 0;

  add(key: string, error: XcError): void {
    this.total += 1;
    this.keys.add(key);
    if (this.named.length < NAMED) this.named.push({ key, error });
  }
}

const copyAll = async ({ ports, entries, spool, tally, plannedAtMs, done }: SessionParts) => {
  const counts = {
    kept: 0,
    copied: 0,
    replaced: 0,
    failed: 0,
    attested: 0,
    'read-back': 0,
    recorded: 0,
    bytesSent: 0,
  };
  const failures = new Failures();
  const lines = batched(spool);
  for await (const result of carryOut(entries(), ports)) {
    const { entry, outcome, proof, holds, error, bytesSent } = result;
    counts[outcome] += 1;
    if (proof !== null) counts[proof] += 1;
    counts.bytesSent += bytesSent;
    tally.done(entry, error !== null, plannedAtMs, ports.clock.nowMs());
    if (holds !== null) await lines.add(manifestLine(holds));
    if (error !== null) failures.add(entry.key, error);
    done(result);
    if (failures.total >= MOST_FAILURES) break;
  }
  await lines.flush();
  return { counts, failures };
};

/** What the target lost meanwhile is a failure; what the source gained is for the next sync. */
const lookAgain = async (
  { ports, filter, spool }: SessionParts,
  { failures }: { readonly failures: Failures },
) => {
  const named: Meanwhile[] = [];
  const lost = new Set<string>();
  let total = 0;
  for await (const change of closingLook(ports, filter, provenBy(spool), failures.keys)) {
    if (change.change === 'changed-at-target' || change.change === 'gone-from-target') {
      lost.add(change.key);
      const why =
        change.change === 'gone-from-target'
          ? 'it was removed while the sync ran'
          : 'it was changed while the sync ran';
      failures.add(change.key, preconditionFailed(ports.target.place, ports.targetPrefix + change.key, why));
    } else {
      total += 1;
      if (named.length < NAMED) named.push(change);
    }
  }
  return { named, total, lost };
};

const provenBy = (spool: Spool): AsyncIterable<ManifestEntry> =>
  readManifest(spool.read(), 'the results of this run', null);

async function* without(
  entries: AsyncIterable<ManifestEntry>,
  lost: ReadonlySet<string>,
): AsyncGenerator<ManifestEntry> {
  for await (const entry of entries) if (!lost.has(entry.key)) yield entry;
}

const BATCH_BYTES = 64 * 1024;

const batched = (spool: Spool) => {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    if (bytes === 0) return;
    const all = new Uint8Array(bytes);
    let at = 0;
    for (const one of waiting) {
      all.set(one, at);
      at += one.byteLength;
    }
    waiting = [];
    bytes = 0;
    await spool.append(all);
  };
  return {
    flush,
    async add(line: Uint8Array): Promise<void> {
      waiting.push(line);
      bytes += line.byteLength;
      if (bytes >= BATCH_BYTES) await flush();
    },
  };
};
