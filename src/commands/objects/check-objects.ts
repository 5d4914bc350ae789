/** Compares both sides of the mirrors that were asked for. */

import { resolve } from 'node:path';
import { parseSize } from '../../core/config/quantity.ts';
import { EXIT } from '../../core/errors/exit.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { checkLines, SIGNS, type Checked, type Sign } from '../../core/mirror/check-lines.ts';
import { mirrorsOf, type MirrorWish } from '../../core/mirror/places.ts';
import { gatesOfMirror } from '../../core/mirror/gates.ts';
import { refuseGates } from '../../core/plan/refuse-gates.ts';
import { isoTime } from '../../core/time/clock.ts';
import { writeDurably } from '../../providers/system/durable-file.ts';
import type { Host, Outcome, Painter } from '../frame/host.ts';
import { policyContext } from '../replication/policy-context.ts';
import { countText } from '../replication/quantities.ts';
import { believedManifest, entriesOf, openMirror, type MirrorOptions } from './open-mirror.ts';
import { openMirrorSpending } from './spending.ts';

export interface CheckOptions extends MirrorOptions {
  readonly tenant?: string | undefined;
  readonly combined: boolean;
  readonly download: boolean;
  readonly bwlimit?: string | undefined;
  readonly out?: string | undefined;
}

interface CheckedMirror {
  readonly id: string;
  readonly tenant: string | null;
  readonly source: MirrorWish['source'];
  readonly target: MirrorWish['target'];
  readonly verdict: 'pass' | 'fail' | 'unknown';
  readonly counts: Readonly<Record<Sign, number>>;
  /** The first ones that are not the same. */
  readonly differences: readonly Checked[];
}

/** Differences that the report names; all are counted, and --combined prints all. */
const NAMED = 10_000;
const SHOWN = 20;

export const checkObjects = async (
  host: Host,
  { source, target }: { readonly source: string | undefined; readonly target: string | undefined },
  options: CheckOptions,
): Promise<Outcome> => {
  if (source === undefined)
    throw new XcError('XC-1070', { subject: 'objects check', why: 'neither places nor a rule is given' });
  const loaded = await host.config();
  // Lines for programs: what else there is to say goes to standard error.
  const isLines = options.combined && host.flags.output === 'table';
  const mirrors: CheckedMirror[] = [];
  for (const wish of mirrorsOf(loaded.config, { source, target, tenant: options.tenant }))
    mirrors.push(await checkMirror(host, wish, options));
  if (isLines) for (const mirror of mirrors) host.narrator.info(summaryOf(mirror));
  const verdict = mirrors.some((one) => one.verdict === 'fail')
    ? 'fail'
    : mirrors.some((one) => one.verdict === 'unknown')
      ? 'unknown'
      : 'pass';
  const report = {
    schemaVersion: 1 as const,
    kind: 'objects-check' as const,
    at: isoTime(host.clock.nowMs()),
    mode: loaded.mode,
    compared: options.download ? ('bytes' as const) : ('recorded digests' as const),
    verdict,
    mirrors,
  };
  if (options.out !== undefined)
    await writeDurably(resolve(host.cwd, options.out), `${host.redact(JSON.stringify(report, null, 2))}\n`);
  return {
    document: report,
    records: mirrors.flatMap(({ differences }) => differences),
    exit: verdict === 'pass' ? EXIT.done : EXIT.findings,
    table: (paint) => (isLines ? '' : mirrors.map((mirror) => view(mirror, paint)).join('\n')),
  };
};

const checkMirror = async (host: Host, wish: MirrorWish, options: CheckOptions): Promise<CheckedMirror> => {
  const loaded = await host.config();
  const context = policyContext(loaded);
  // What is read leaves its region too.
  const rows = gatesOfMirror(loaded.config, wish, context, {
    id: wish.id,
    mode: loaded.mode,
    digest: null,
    destroys: [],
    approval: { ...context.approvals, requester: null, given: [] },
    nowMs: host.clock.nowMs(),
  });
  refuseGates(rows, wish.id, ['P6']);
  await using mirror = await openMirror(host, loaded, wish, options);
  const { ends } = mirror;
  const known = options.download ? null : await believedManifest(host, loaded, mirror);
  await using spending = await openMirrorSpending(host, {
    loaded,
    wish,
    target: ends.target,
    bytesPerSecond: options.bwlimit === undefined ? undefined : parseSize(options.bwlimit, '--bwlimit'),
    signal: host.signal,
  });
  const reading = { ...ends, clock: host.clock, signal: host.signal, pace: spending.pace };
  const counts = Object.fromEntries(SIGNS.map((sign) => [sign, 0])) as Record<Sign, number>;
  const differences: Checked[] = [];
  const entries = entriesOf(host, mirror, known, host.signal);
  for await (const checked of checkLines(entries, options.checkers, options.download ? reading : null)) {
    counts[checked.sign] += 1;
    if (options.combined && host.flags.output === 'table')
      host.print(`${checked.sign} ${shown(checked.key)}`);
    if (checked.sign !== '=' && differences.length < NAMED) differences.push(checked);
  }
  const different = counts['+'] + counts['-'] + counts['*'] > 0;
  return {
    id: wish.id,
    tenant: wish.tenant,
    source: wish.source,
    target: wish.target,
    verdict: different ? 'fail' : counts['!'] > 0 ? 'unknown' : 'pass',
    counts,
    differences,
  };
};

/** A key with a line break in it must not look like two. */
const shown = (key: string): string => (/[\n\r]/.test(key) ? JSON.stringify(key) : key);

const WORDS = {
  '=': 'the same',
  '-': 'only at the target',
  '+': 'only at the source',
  '*': 'different',
  '!': 'not compared',
} as const satisfies Record<Sign, string>;

const summaryOf = ({ source, target, verdict, counts }: CheckedMirror, said: string = verdict): string => {
  const title = `${source.region}:${source.prefix} → ${target.region}:${target.prefix}`;
  const numbers = SIGNS.map((sign) => `${countText(counts[sign])} ${WORDS[sign]}`).join(', ');
  return `${title}  ${said}: ${numbers}`;
};

const view = (mirror: CheckedMirror, paint: Painter): string => {
  const lines = mirror.differences
    .slice(0, SHOWN)
    .map(({ sign, key, why }) => `${sign} ${shown(key)}${why === null ? '' : `  (${why})`}`);
  return [
    summaryOf(mirror, painted(mirror.verdict, paint)),
    ...lines,
    ...(mirror.differences.length > SHOWN ? ['…'] : []),
  ].join('\n');
};

const painted = (verdict: CheckedMirror['verdict'], paint: Painter): string => {
  switch (verdict) {
    case 'pass':
      return paint.good(verdict);
    case 'fail':
      return paint.bad(verdict);
    case 'unknown':
      return paint.warn(verdict);
  }
};
