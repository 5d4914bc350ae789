/** Compares the selected links, beside the runs that stream them or by itself, and reports. */

import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { XcError, isXcError } from '../../core/errors/xc-error.ts';
import { parseWindow } from '../../core/plan/window.ts';
import { foldVerification, type RepairPlanned, type VerifyReport } from '../../core/report/verification.ts';
import type { Compared, StreamEngine } from '../../core/replication/engine.ts';
import { isoTime } from '../../core/time/clock.ts';
import { matchesPatterns } from '../../core/topology/pattern.ts';
import type { Stream } from '../../core/topology/link.ts';
import { openVerifyMemory, type VerifyMemory } from '../../providers/system/verify-memory.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { selectOne, type DoctorOptions } from './examine-links.ts';
import { hashKeysOf } from './hash-keys.ts';
import { openComparing } from './open-comparing.ts';
import type { Selected } from './selection.ts';
import { verifyView } from './verify-view.ts';

export interface VerifyOptions extends DoctorOptions {
  readonly tables?: readonly string[] | undefined;
  /** 0 < sample ≤ 1. */
  readonly sample?: number | undefined;
  readonly seed?: string | undefined;
  readonly window?: string | undefined;
  readonly keys: number;
  readonly resume?: true | undefined;
  readonly selfTest?: true | undefined;
  /** Where to write a plan that mends what differs. */
  readonly repairPlan?: string | undefined;
}

export const verifyReplication = async (host: Host, options: VerifyOptions): Promise<Outcome> => {
  const selected = await selectOne(host, options);
  if (host.flags.dryRun) return preview(selected);
  if (options.selfTest) {
    const { selfTestReplication } = await import('./self-test.ts');
    return await selfTestReplication(host, selected, options.tables);
  }
  const memory = await openMemory(host, selected, options);
  if (options.resume)
    host.narrator.info(
      memory.resumed > 0 ? `goes on after ${memory.resumed} parts` : 'nothing was cut off: begins anew',
    );
  const hashKeys = await hashKeysOf(host, selected.loaded);
  const compared: { stream: Stream; result: Compared }[] = [];
  try {
    // One stream after the other: each takes two sessions a table on either server.
    for (const stream of selected.streams)
      compared.push({
        stream,
        result: await compareStream(host, { stream, selected, hashKeys, memory, options }),
      });
  } catch (error) {
    await memory.flush();
    throw error;
  }
  const results = compared.map(({ result }) => result);
  refuseNothing(results, options);
  const plan =
    options.repairPlan === undefined
      ? {}
      : { plan: await planned(host, selected, compared, options.repairPlan) };
  await memory.forget();
  const report = foldVerification(results, [...selected.ids].toSorted(), {
    at: isoTime(host.clock.nowMs()),
    mode: selected.loaded.mode,
    seed: memory.seed,
    sample: options.sample ?? 1,
    resumed: memory.resumed > 0,
    ...plan,
  });
  return outcome(report);
};

const planned = async (
  host: Host,
  selected: Selected,
  compared: readonly { readonly stream: Stream; readonly result: Compared }[],
  file: string,
): Promise<RepairPlanned | null> => {
  const { planRowRepair } = await import('./plan-repair.ts');
  return await planRowRepair(host, selected, compared, file);
};

const outcome = (report: VerifyReport): Outcome => ({
  document: report,
  records: report.findings,
  exit: report.exit,
  table: (paint) => verifyView(report, paint),
});

const preview = ({ links }: Selected): Outcome => ({
  document: { schemaVersion: 1, dryRun: true, links: links.map((link) => link.id) },
  table: () => links.map((link) => `would compare ${link.id}`).join('\n'),
});

const openMemory = async (
  host: Host,
  { loaded, ids, streams }: Selected,
  { tables, sample, window, seed, resume }: VerifyOptions,
): Promise<VerifyMemory> => {
  const what = [loaded.digest, streams.map(({ key }) => key), [...ids].toSorted(), tables, sample, window];
  const key = createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 16);
  const drawn = Array.from({ length: 16 }, () => Math.floor(host.random.next() * 16).toString(16)).join('');
  return await openVerifyMemory(
    resolve(host.cwd, '.xcrepl'),
    { key, seed: seed ?? drawn, resume: resume ?? false },
    host.clock,
  );
};

interface StreamParts {
  readonly stream: Stream;
  readonly selected: Selected;
  readonly hashKeys: ReadonlyMap<string, Uint8Array>;
  readonly memory: VerifyMemory;
  readonly options: VerifyOptions;
}

const compareStream = async (host: Host, parts: StreamParts): Promise<Compared> => {
  const { stream, selected, hashKeys, memory, options } = parts;
  await using engine = await openComparing(host, stream, selected, hashKeys);
  const acquired = await acquire(host, engine);
  const { tables } = options;
  return await engine.compare(
    {
      links: stream.links.map((link) => link.id).filter((id) => selected.ids.has(id)),
      wanted: (_, table) => !tables || matchesPatterns(tables, table),
      whole: tables === undefined,
      ...(options.window === undefined ? {} : { window: parseWindow(options.window) }),
      sample: options.sample ?? 1,
      seed: memory.seed,
      maxKeysNamed: options.keys,
      memory: named(memory, stream.key),
      acquired,
    },
    host.signal,
  );
};

/** A run that streams goes on: what it writes down is enough to compare beside it. */
const acquire = async (host: Host, engine: StreamEngine): Promise<boolean> => {
  try {
    await engine.acquire();
    return true;
  } catch (error) {
    if (!isXcError(error, 'XC-7002')) throw error;
    host.narrator.info(`beside the run that streams: ${error.why ?? error.message}`);
    return false;
  }
};

/** Tables of several streams may have one name. */
const named = (memory: VerifyMemory, key: string): VerifyMemory => ({
  ...memory,
  read: (unit) => memory.read(`${key} ${unit}`),
  write: (unit, progress) => memory.write(`${key} ${unit}`, progress),
});

const refuseNothing = (compared: readonly Compared[], { tables }: VerifyOptions): void => {
  if (compared.some((each) => each.tables.length + each.findings.length > 0)) return;
  throw new XcError('XC-1304', {
    why: tables ? `no table of the links fits --tables ${tables.join(',')}` : 'the links carry no table',
  });
};
