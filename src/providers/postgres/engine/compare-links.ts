/**
 * Compares links for `replication verify`: beside a run that streams them, whose checkpoints in the target tell when a
 * marker has passed, or, where no run holds the stream, while it is streamed for this alone.
 */

import type { LinkState } from '../../../core/plan/facts.ts';
import type { Client } from 'pg';
import { formatLsn, type Lsn } from '../../../core/change/lsn.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import type { Compared, CompareRequest } from '../../../core/replication/engine.ts';
import type { LinkId } from '../../../core/topology/link.ts';
import type { Finding } from '../../../core/validation/finding.ts';
import { isUninitialised } from '../target-state.ts';
import { lockKey } from './lock.ts';
import { linksNamed, readSides, type EngineParts } from './parts.ts';
import { emitMarker } from './snapshots.ts';
import type { Passed, Streams } from './streams.ts';
import { verifyStream, type Verification } from './verify-links.ts';

export const compareLinks = async (
  parts: EngineParts,
  streams: Streams,
  epoch: number,
  request: CompareRequest,
  signal: AbortSignal,
): Promise<Compared> => {
  const rows = await readLinks(await parts.control.reader(), request.links);
  const findings: Finding[] = request.links.flatMap((link) => {
    const state = rows.get(link)?.state;
    return isCarried(state) ? [] : [notCompared(link, state)];
  });
  const carried = request.links.filter((link) => isCarried(rows.get(link)?.state));
  const all: Verification[] = [];
  for (const [slot, links] of Map.groupBy(carried, (link) => rows.get(link)!.slot)) {
    const compare = (passed: Passed): Promise<Verification> =>
      compareSlot(parts, links, request, passed, signal);
    all.push(
      request.acquired
        ? await streams.during(slot, epoch, signal, compare)
        : await compare(checkpointPasses(parts, slot)),
    );
  }
  await record(await parts.control.reader(), all, request);
  return {
    findings: [...findings, ...all.flatMap((each) => each.findings)],
    tables: all.flatMap((each) => each.verified),
    differences: all.flatMap((each) => each.differences),
    seed: all.find((each) => each.seed !== null)?.seed ?? null,
  };
};

const compareSlot = async (
  parts: EngineParts,
  ids: readonly LinkId[],
  { wanted, window, sample, seed, maxKeysNamed, memory }: CompareRequest,
  passed: Passed,
  signal: AbortSignal,
): Promise<Verification> => {
  const links = linksNamed(parts, ids);
  const { source, target, tables } = await readSides(parts, links);
  const emit = async (): Promise<Lsn> => emitMarker(await parts.control.source());
  return await verifyStream(
    links,
    (link, table) => tables.get(link)!.has(table) && wanted(link, table),
    window,
    { ...parts, source, target, emit, passed },
    signal,
    {
      sample,
      limits: { maxKeysNamed },
      ...(seed === undefined ? {} : { seed }),
      ...(memory ? { memory } : {}),
    },
  );
};

interface LinkPlace {
  readonly slot: string;
  readonly state: LinkState;
}

export const readLinks = async (
  client: Client,
  links: readonly LinkId[],
): Promise<Map<LinkId, LinkPlace>> => {
  try {
    const { rows } = await client.query<LinkPlace & { link: LinkId }>(
      'SELECT link, slot, state FROM xcrepl.links WHERE link = ANY ($1)',
      [links],
    );
    return new Map(rows.map(({ link, slot, state }) => [link, { slot, state }]));
  } catch (error) {
    if (isUninitialised(error)) return new Map();
    throw error;
  }
};

/** A link that catches up is consistent past its newest chunk's snapshot, and so past a marker of now. */
export const isCarried = (state: LinkState | undefined): boolean =>
  state === 'streaming' || state === 'catching-up';

export const notCompared = (link: LinkId, state: LinkState | undefined): Finding => ({
  check: 'verify-link',
  subject: link,
  verdict: 'unknown',
  severity: 'warn',
  seen:
    state === undefined ? 'it was never run: there is nothing to compare' : `not compared: it is ${state}`,
  remedy: 'xcrepl replication run, then verify again',
  code: 'XC-5105',
});

const POLL_MS = 100;
/** A run stores a position without changes every two seconds; one that takes this long may be gone. */
const STANDSTILL_MS = 10_000;

const PASSED = `
  SELECT (SELECT position FROM xcrepl.checkpoints WHERE slot = $1) >= $2::pg_lsn AS passed,
         EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    AND ((classid::bigint << 32) | objid::bigint) = $3::bigint) AS held`;

const checkpointPasses =
  ({ control, options }: EngineParts, slot: string): Passed =>
  async (position, signal) => {
    const { clock, stream } = options;
    const startMs = clock.nowMs();
    for (;;) {
      const reader = await control.reader();
      const { rows } = await reader.query<{ passed: boolean | null; held: boolean }>(PASSED, [
        slot,
        formatLsn(position),
        lockKey(stream.key),
      ]);
      if (rows[0]?.passed) return;
      if (!rows[0]?.held && clock.nowMs() - startMs > STANDSTILL_MS)
        throw new XcError('XC-6001', {
          subject: `stream ${stream.key}`,
          why: 'the run that held it ended, so the target does not pass the marker',
          next: 'run the same command again; with --resume it goes on where it was',
        });
      await clock.sleep(POLL_MS, signal);
    }
  };

/** What was found to differ counts always; that nothing differs, only of a link that was looked at as a whole. */
const record = async (
  client: Client,
  all: readonly Verification[],
  request: CompareRequest,
): Promise<void> => {
  const whole = request.whole && request.sample >= 1 && request.window === undefined;
  for (const { verdicts } of all)
    for (const [link, verdict] of verdicts) {
      if (verdict === 'pass' && !whole) continue;
      await client.query(
        'UPDATE xcrepl.links SET verified_at = clock_timestamp(), verdict = $2 WHERE link = $1',
        [link, verdict],
      );
    }
};
