/** Plans of mirrors as files: made, or given and checked before anything is done by them. */

import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { LoadedConfig } from '../../core/config/loaded.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import type { Entry } from '../../core/mirror/entry.ts';
import { parseHead, PlanWriter, readEntries, type PlanHead } from '../../core/mirror/plan-lines.ts';
import type { Tallying } from '../../core/mirror/tally.ts';
import { Counting, type Totals } from '../../core/mirror/totals.ts';
import { isoTime } from '../../core/time/clock.ts';
import { guarded } from '../../providers/system/durable-file.ts';
import type { Host } from '../frame/host.ts';
import { newId } from '../replication/planning.ts';
import { readLines, writeLines } from './line-file.ts';
import type { OpenMirror } from './open-mirror.ts';

/** What was planned is bound to versions, so an old plan does no harm; but it says little of what is there now. */
const GOOD_FOR_MS = 24 * 3_600_000;

export interface MirrorPlan {
  readonly id: string;
  /** "sha256:…"; null where no file holds it. */
  readonly digest: string | null;
  readonly totals: Totals;
  /** Of those that are the same: not in the last manifest, so still to be read back. */
  readonly unproven: number;
  readonly entries: () => AsyncIterable<Entry>;
}

export const headOf = async (
  host: Host,
  loaded: LoadedConfig,
  { ends, wish, filterOptions }: OpenMirror,
  immutable: boolean,
): Promise<PlanHead> => {
  const nowMs = host.clock.nowMs();
  return {
    schemaVersion: 1,
    kind: 'mirror',
    id: await newId(host, 'pl'),
    createdAt: isoTime(nowMs),
    expiresAt: isoTime(nowMs + GOOD_FOR_MS),
    mode: loaded.mode,
    config: loaded.digest,
    mirror: ends.mirror,
    tenant: wish.tenant,
    source: wish.source,
    target: wish.target,
    filter: { include: [...filterOptions.include], exclude: [...filterOptions.exclude] },
    immutable,
  };
};

/**
 * Counts the entries as they come, and writes them where a path is given.
 * @param tally told of each entry
 */
export const makePlan = async (
  host: Host,
  head: PlanHead,
  entries: AsyncIterable<Entry>,
  { path, tally }: { readonly path: string | null; readonly tally: Tallying },
): Promise<MirrorPlan> => {
  const totals = new Counting();
  const writer = new PlanWriter();
  let digest: string | null = null;
  let unproven = 0;
  const lines = (async function* () {
    yield writer.head(head);
    for await (const entry of entries) {
      totals.add(entry);
      if (!entry.proven) unproven += 1;
      tally.planned(entry, host.clock.nowMs());
      yield writer.entry(entry);
    }
    const tail = writer.tail(totals);
    digest = tail.digest;
    yield tail.line;
  })();
  if (path === null) for await (const line of lines) void line;
  else await writeLines(path, lines);
  const written = path ?? '';
  return { id: head.id, digest, totals, unproven, entries: () => readEntries(readLines(written), written) };
};

/** @throws XcError XC-1013, XC-1303 */
export const readHead = async (path: string): Promise<PlanHead> => {
  for await (const line of readLines(path)) return parseHead(line, path);
  throw new XcError('XC-1303', { subject: path, why: 'it is empty' });
};

/**
 * A reviewed plan, copied to where nobody changes it, and read to its end once before anything is done.
 * @throws XcError XC-1303, XC-3003 where it was edited, XC-3001 where it is of another mirror or configuration
 */
export const givenPlan = async (
  host: Host,
  loaded: LoadedConfig,
  { ends }: OpenMirror,
  { file, copy, tally }: { readonly file: string; readonly copy: string; readonly tally: Tallying },
): Promise<MirrorPlan> => {
  await guarded(copy, async () => {
    await mkdir(dirname(copy), { recursive: true });
    await copyFile(resolve(host.cwd, file), copy);
  });
  const head = await readHead(copy);
  const stale = (why: string): XcError =>
    new XcError('XC-3001', {
      subject: file,
      why,
      next: 'make a new plan with xcrepl objects sync --dry-run --out FILE',
    });
  if (head.config !== loaded.digest) throw stale('the configuration is another one');
  if (head.mirror !== ends.mirror) throw stale('it is of another mirror');
  if (Date.parse(head.expiresAt) < host.clock.nowMs()) throw stale(`it expired at ${head.expiresAt}`);
  const totals = new Counting();
  let unproven = 0;
  for await (const entry of readEntries(readLines(copy), file)) {
    totals.add(entry);
    if (!entry.proven) unproven += 1;
    tally.planned(entry, host.clock.nowMs());
  }
  return { id: head.id, digest: null, totals, unproven, entries: () => readEntries(readLines(copy), file) };
};
