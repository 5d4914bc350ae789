/** What became of one mirror: the part of a sync's report that is about it. */

import { EXIT, exitOf } from '../../core/errors/exit.ts';
import type { LastManifest, NewManifest } from '../../core/mirror/last-manifest.ts';
import type { MirrorWish } from '../../core/mirror/places.ts';
import type { SessionOutcome } from '../../core/mirror/session.ts';
import type { MirrorTally, Tallying } from '../../core/mirror/tally.ts';
import type { Totals } from '../../core/mirror/totals.ts';
import type { GateRow } from '../../core/policy/gates/table.ts';
import type { Host } from '../frame/host.ts';
import type { MirrorPlan } from './mirror-plan.ts';
import type { OpenMirror } from './open-mirror.ts';

export interface MirrorReport {
  readonly mirror: string;
  readonly id: string;
  readonly tenant: string | null;
  readonly source: MirrorWish['source'];
  readonly target: MirrorWish['target'];
  readonly outcome: 'planned' | 'no-change' | 'done' | 'partly';
  readonly exit: number;
  readonly plan: string;
  readonly totals: Totals;
  readonly policy: readonly GateRow[];
  readonly result: Omit<SessionOutcome, 'proven' | 'failures' | 'changed'> | null;
  readonly failures: readonly { readonly key: string; readonly code: string; readonly message: string }[];
  readonly manifest: (NewManifest & { readonly keyId: string; readonly complete: boolean }) | null;
  readonly metrics: MirrorTally;
}

interface Reported {
  readonly planned: MirrorPlan;
  readonly policy: readonly GateRow[];
  readonly tally: Tallying;
  readonly outcome?: SessionOutcome;
  readonly manifest?: MirrorReport['manifest'];
  /** The manifest that stays in force. */
  readonly kept?: LastManifest;
}

export const reportOf = (
  { host }: { readonly host: Host },
  { wish, ends }: OpenMirror,
  { planned, policy, tally, outcome, manifest = null, kept }: Reported,
): MirrorReport => {
  const named = {
    mirror: ends.mirror,
    id: wish.id,
    tenant: wish.tenant,
    source: wish.source,
    target: wish.target,
    plan: planned.id,
    totals: planned.totals,
    policy,
    metrics: tally.read(host.clock.nowMs()),
  };
  if (!outcome)
    return {
      ...named,
      outcome: kept ? 'no-change' : 'planned',
      exit: EXIT.done,
      result: null,
      failures: [],
      manifest: kept
        ? {
            key: kept.key,
            digest: kept.digest,
            objects: kept.says.objects,
            bytes: kept.says.bytes,
            keyId: kept.keyId,
            complete: true,
          }
        : null,
    };
  const { proven: _, failures, changed: __, ...result } = outcome;
  return {
    ...named,
    outcome: outcome.failed > 0 ? 'partly' : 'done',
    exit: exitFor(outcome),
    result,
    failures: failures.map(({ key, error }) => ({ key, code: error.code, message: error.message })),
    manifest,
  };
};

/** Where nothing at all went well, the reason says more than that it was only partly done. */
const exitFor = ({ failed, failures, kept, copied, replaced }: SessionOutcome): number => {
  if (failed === 0) return EXIT.done;
  const codes = new Set(failures.map(({ error }) => error.code));
  const [only] = codes;
  return kept + copied + replaced === 0 && codes.size === 1 && only !== undefined
    ? exitOf(only)
    : EXIT.partly;
};
