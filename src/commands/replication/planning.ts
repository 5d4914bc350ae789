/** From a command's options to facts and a plan: what simulate prints is what run runs. */

import { listedPatterns } from '../../core/topology/pattern.ts';
import { Option, type Command } from '@commander-js/extra-typings';
import { parseSize } from '../../core/config/quantity.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import type { ReplicationFacts, StreamFacts } from '../../core/plan/facts.ts';
import { refuseForgotten } from '../../core/policy/manifest-memory.ts';
import type { PlanWish } from '../../core/plan/wish.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { LinkId, Stream } from '../../core/topology/link.ts';
import type { Host } from '../frame/host.ts';
import { policyContext } from './policy-context.ts';
import { withSelection, type Selected, type Selection } from './selection.ts';

export interface PlanOptions extends Selection {
  readonly tables?: readonly string[] | undefined;
  readonly window?: string | undefined;
  readonly chunkBytes?: number | undefined;
  readonly strict?: boolean | undefined;
  readonly existing?: 'refuse' | 'replace' | undefined;
}

/** Below this a copy is mostly the opening and closing of its chunks. */
const LEAST_CHUNK_BYTES = 64 * 1024;

export const withPlanning = (command: Command) =>
  withSelection(command)
    .option(
      '--tables <patterns>',
      'copy only these tables now: schema.table with *, separated by commas',
      listedPatterns,
    )
    .option('--window <from/to>', 'copy only rows of this time range, by the tables’ declared time columns')
    .option(
      '--chunk-bytes <size>',
      'how much of a table one transaction of the copy holds, and a copy that was cut short does again (default 64MiB)',
      chunkBytes,
    )
    .option('--strict', 'findings of severity warn refuse the plan, too');

export const existingOption = () =>
  new Option(
    '--existing <what>',
    'what to do where the target already holds rows of a link that was never copied',
  )
    .choices(['refuse', 'replace'] as const)
    .default('refuse' as const);

const chunkBytes = (text: string): number => {
  const bytes = parseSize(text, '--chunk-bytes');
  if (bytes < LEAST_CHUNK_BYTES)
    throw new XcError('XC-1004', { subject: '--chunk-bytes', why: `"${text}" is less than 64KiB` });
  return bytes;
};

/** Sortable by time, and unique: "pl_01J…". */
export const newId = async (host: Host, prefix: 'pl' | 'rn'): Promise<string> => {
  const { ulid } = await import('ulid');
  return `${prefix}_${ulid(host.clock.nowMs(), () => host.random.next())}`;
};

export const gather = async (
  host: Host,
  selected: Pick<Selected, 'loaded' | 'dsns' | 'ids'>,
  streams: readonly Stream[],
): Promise<ReplicationFacts> => {
  const { gatherFacts } = await import('../../providers/postgres/facts.ts');
  const { gatherLogFacts } = await import('../../providers/postgres/log-facts.ts');
  const { logAt } = await import('../../providers/registry.ts');
  const { regions, controlPlane } = selected.loaded.config;
  const logOf = (stream: Stream) => logAt(selected.dsns.get(stream.source.region));
  const options = {
    selected: selected.ids,
    dsns: selected.dsns,
    roles: new Map(Object.entries(regions).map(([name, region]) => [name, region.initialRole])),
    clock: host.clock,
    signal: host.signal,
  };
  const facts = await gatherFacts({ ...options, streams: streams.filter((stream) => !logOf(stream)) });
  const replays: StreamFacts[] = [];
  for (const stream of streams) {
    const log = logOf(stream);
    if (log) replays.push(await gatherLogFacts(stream, log, controlPlane, options));
  }
  const all = { ...facts, streams: [...facts.streams, ...replays] };
  if (!selected.loaded.config.budgets.some(({ bytesPerDay }) => bytesPerDay !== undefined)) return all;
  const { withDayCounts } = await import('./budgets.ts');
  return await withDayCounts(host, selected, all);
};

/** The same to plan by: what the targets remember of signed manifests must still be in force. @throws XcError XC-2039, XC-2060 */
export const gatherToPlan: typeof gather = async (host, selected, streams) => {
  const facts = await gather(host, selected, streams);
  for (const { target, stream } of facts.streams)
    refuseForgotten(selected.loaded, target.manifests ?? [], stream.target.region);
  return facts;
};

export const wishOf = async (
  { loaded, ids }: Pick<Selected, 'loaded' | 'ids'>,
  options: PlanOptions,
): Promise<PlanWish> => {
  const { parseWindow } = await import('../../core/plan/window.ts');
  return {
    selected: ids,
    ...(options.tables ? { tables: options.tables } : {}),
    ...(options.window === undefined ? {} : { window: parseWindow(options.window) }),
    ...(options.chunkBytes === undefined ? {} : { chunkBytes: options.chunkBytes }),
    ...(options.existing === 'replace' ? { existing: 'replace' as const } : {}),
    move: true,
    strict: options.strict ?? false,
    ...ofConfiguration(loaded),
  };
};

/** What a reviewed plan asked for, asked again. */
export const wishOfPlan = ({ loaded }: Pick<Selected, 'loaded'>, { wish }: Plan): PlanWish => ({
  selected: new Set<LinkId>(wish.links),
  ...(wish.tables ? { tables: wish.tables } : {}),
  ...(wish.window ? { window: wish.window } : {}),
  ...(wish.chunkBytes === undefined ? {} : { chunkBytes: wish.chunkBytes }),
  ...(wish.repair ? { repair: true } : {}),
  ...(wish.existing ? { existing: wish.existing } : {}),
  move: true,
  strict: wish.strict,
  ...ofConfiguration(loaded),
});

const ofConfiguration = (
  loaded: Selected['loaded'],
): Pick<PlanWish, 'hashKeys' | 'config' | 'mode' | 'policy'> => ({
  hashKeys: Object.keys(loaded.config.hashKeys),
  config: loaded.digest,
  mode: loaded.mode,
  policy: policyContext(loaded),
});
