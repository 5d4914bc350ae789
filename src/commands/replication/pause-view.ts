/** What pausing and resuming say: the state of each link, and what its pause costs the source. */

import type { LinkStatus } from '../../core/report/link-status.ts';
import type { LinkId } from '../../core/topology/link.ts';
import { heldText } from '../../core/metrics/retained-wal.ts';
import type { Outcome } from '../frame/host.ts';

export type PauseVerb = 'pause' | 'resume';

/** One link, and what became of it. */
export interface PausedLink {
  readonly link: LinkId;
  readonly state: LinkStatus['state'];
  readonly changed: boolean;
  /** What its slot keeps, and for how long it may; null where nothing is kept. */
  readonly retained: LinkStatus['retained'];
  readonly slot: string | null;
}

export const pauseOutcome = (verb: PauseVerb, links: readonly PausedLink[], dryRun: boolean): Outcome => {
  const next = verb === 'resume' && links.some(isOnItsWay) ? ['xcrepl replication run'] : [];
  return {
    document: {
      schemaVersion: 1,
      ...(dryRun ? { dryRun } : {}),
      changed: !dryRun && links.some(({ changed }) => changed),
      links,
      next,
    },
    records: links,
    table: () =>
      [
        ...links.flatMap((link) => lines(link, verb, dryRun)),
        ...(next.length > 0
          ? ['what was resumed catches up in the run that follows, or in the next one']
          : []),
        ...next.map((command) => `next: ${command}`),
      ].join('\n'),
  };
};

const isOnItsWay = ({ state }: PausedLink): boolean => state === 'catching-up';

const lines = (
  { link, state, changed, retained }: PausedLink,
  verb: PauseVerb,
  dryRun: boolean,
): string[] => {
  if (dryRun) return [`${link}: ${state}; would do: ${changed ? verb : 'nothing'}`];
  return [
    changed ? `${link}: ${state}` : `no change: ${link} is ${state}`,
    ...(state === 'paused' && retained ? [`${link}: ${heldText(retained)}`] : []),
  ];
};
