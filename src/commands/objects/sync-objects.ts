/** Runs the mirrors that were asked for, one after the other, and reports. */

import { join, resolve } from 'node:path';
import { EXIT } from '../../core/errors/exit.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { mirrorsOf, type MirrorWish } from '../../core/mirror/places.ts';
import type { Tallying } from '../../core/mirror/tally.ts';
import { isoTime } from '../../core/time/clock.ts';
import { writeDurably } from '../../providers/system/durable-file.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { newId } from '../replication/planning.ts';
import type { MirrorReport } from './mirror-report.ts';
import { syncMirror, type SyncOptions } from './sync-mirror.ts';
import { readHead } from './mirror-plan.ts';
import { syncView } from './sync-view.ts';

export interface SyncWords {
  readonly source: string | undefined;
  readonly target: string | undefined;
  readonly tenant?: string | undefined;
  readonly reportDir: string;
}

/** How often a run that takes long writes its metrics. */
const METRICS_MS = 15_000;

export const syncObjects = async (host: Host, words: SyncWords, given: SyncOptions): Promise<Outcome> => {
  const loaded = await host.config();
  const { source, options } = await reviewed(host, words, given);
  const wishes = mirrorsOf(loaded.config, source);
  if (wishes.length > 1 && options.out !== undefined)
    throw new XcError('XC-1001', {
      subject: '--out',
      why: `it holds one plan, and these are ${wishes.length} mirrors`,
      next: 'name one mirror by its places',
    });
  const run = await newId(host, 'rn');
  const startedAt = isoTime(host.clock.nowMs());
  const tallies = new Map<MirrorWish, Tallying>();
  await using metrics = writingMetrics(host, tallies);
  const mirrors: MirrorReport[] = [];
  for (const wish of wishes)
    mirrors.push(
      await syncMirror(
        { host, loaded, run, options, measured: (of, tally) => void tallies.set(of, tally) },
        wish,
      ),
    );
  await metrics.write();
  const report = {
    schemaVersion: 1 as const,
    kind: 'objects-sync' as const,
    run,
    version: host.version,
    mode: loaded.mode,
    missing: loaded.missing,
    startedAt,
    endedAt: isoTime(host.clock.nowMs()),
    exit: worst(mirrors.map(({ exit }) => exit)),
    mirrors,
  };
  const table = syncView(mirrors);
  if (!host.flags.dryRun) {
    const at = (name: string): string => resolve(host.cwd, join(words.reportDir, run), name);
    await writeDurably(at('report.json'), `${host.redact(JSON.stringify(report, null, 2))}\n`);
    await writeDurably(at('report.md'), host.redact(`# Sync ${run}\n\n${syncView(mirrors)(PLAIN)}\n`));
  }
  return { document: report, records: mirrors, table, exit: report.exit };
};

const PLAIN = {
  bold: (text: string) => text,
  dim: (text: string) => text,
  good: (text: string) => text,
  bad: (text: string) => text,
  warn: (text: string) => text,
  table: (head: readonly string[], rows: readonly (readonly string[])[]) =>
    [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n'),
};

/** A reviewed plan names its places, its filter and its tenant itself. */
const reviewed = async (host: Host, words: SyncWords, options: SyncOptions) => {
  if (options.plan === undefined) {
    if (words.source === undefined)
      throw new XcError('XC-1070', {
        subject: 'objects sync',
        why: 'neither places, a rule nor --plan is given',
      });
    return { source: { source: words.source, target: words.target, tenant: words.tenant }, options };
  }
  if (words.source !== undefined)
    throw new XcError('XC-1001', { subject: '--plan', why: 'a plan names its places itself' });
  const head = await readHead(resolve(host.cwd, options.plan));
  return {
    source: {
      source: `${head.source.region}:${head.source.prefix}`,
      target: `${head.target.region}:${head.target.prefix}`,
      tenant: head.tenant ?? undefined,
    },
    options: { ...options, ...head.filter, immutable: head.immutable },
  };
};

/** The first that is neither done nor partly done says most. */
const worst = (exits: readonly number[]): number =>
  exits.find((exit) => exit !== EXIT.done && exit !== EXIT.partly) ??
  exits.find((exit) => exit !== EXIT.done) ??
  EXIT.done;

const writingMetrics = (host: Host, tallies: ReadonlyMap<MirrorWish, Tallying>) => {
  const file = host.flags.metricsTextfile;
  const over = new AbortController();
  const write = async (): Promise<void> => {
    if (file === undefined) return;
    const { mirrorMetricsText } = await import('../../providers/prometheus/mirror-metrics.ts');
    const nowMs = host.clock.nowMs();
    const text = await mirrorMetricsText([...tallies.values()].map((tally) => tally.read(nowMs)));
    await writeDurably(resolve(host.cwd, file), text);
  };
  const loop = async (): Promise<void> => {
    if (file === undefined) return;
    while (!over.signal.aborted) {
      await host.clock.sleep(METRICS_MS, over.signal).catch(() => undefined);
      if (!over.signal.aborted) await write();
    }
  };
  const running = loop();
  return {
    write,
    async [Symbol.asyncDispose]() {
      over.abort();
      await running;
      // A run that ends by an error says so, too.
      await write();
    },
  };
};
