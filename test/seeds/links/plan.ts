/** What a seed of the links' suite does, before anything happens: the same seed gives the same script. */

import { seededRandom, type SeededRandom } from '../../../fixtures/shop/random.ts';

export const NAME = 'links';

/** Configured from the start; the last one joins later, where the script says so. */
export const TENANTS = ['t01', 't02', 't03', 't04', 't05'] as const;
export const LATE = TENANTS[4];

export type Deed =
  | { readonly kind: 'pause' | 'resume'; readonly tenants: readonly string[]; readonly by: 'row' | 'command' }
  | { readonly kind: 'poison' | 'mend' | 'remove'; readonly tenant: string }
  | { readonly kind: 'join' | 'nothing' };

/**
 * When the runner is killed: so long after something first changed since the deed began, which a step of a split or a merge
 * does: the slots at the source, the links' rows in the target, or the positions there; or after the deed itself.
 */
export interface Kill {
  readonly of: 'slots' | 'links' | 'checkpoints' | 'deed';
  readonly afterMs: number;
}

export interface Act {
  /** Where no runner is there, one is started before. */
  readonly start: boolean;
  readonly deed: Deed;
  readonly kill: Kill | null;
  /** Until the next act. */
  readonly pauseMs: number;
}

export interface LinksPlan {
  readonly acts: readonly Act[];
  readonly random: SeededRandom;
}

const ACTS = [5, 10] as const;
const START_SHARE = 0.8;
const KILL_SHARE = 0.6;
/** Several looks of a run that follows at the links' states, which it has every two seconds. */
const MAX_PAUSE_MS = 2_500;
const MAX_KILL_MS = 2_500;
/** Between two statements of a step. */
const MAX_JITTER_MS = 40;

export const planOf = (seed: number): LinksPlan => {
  const random = seededRandom(NAME, seed);
  const left = new Set<string>(TENANTS.slice(0, -1));
  let joined = false;
  const deedOf = (): Deed => {
    const kind = random.pick(KINDS);
    const tenant = random.pick([...left]);
    if (kind === 'pause' || kind === 'resume') {
      const tenants = [...left].filter((name) => name === tenant || random.chance(0.3));
      return { kind, tenants, by: random.chance(0.25) ? 'command' : 'row' };
    }
    if (kind === 'join') return joined ? { kind: 'nothing' } : ((joined = true), left.add(LATE), { kind });
    // Two stay, so that what fails for one does not fail for all.
    if (kind === 'remove')
      return left.size <= 3 ? { kind: 'nothing' } : (left.delete(tenant), { kind, tenant });
    return { kind, tenant };
  };
  const acts = Array.from({ length: random.between(...ACTS) }, () => ({
    start: random.chance(START_SHARE),
    deed: deedOf(),
    kill: random.chance(KILL_SHARE) ? killOf(random) : null,
    pauseMs: random.between(0, MAX_PAUSE_MS),
  }));
  return { acts, random };
};

const killOf = (random: SeededRandom): Kill => {
  const of = random.pick(['slots', 'slots', 'links', 'links', 'checkpoints', 'deed'] as const);
  return { of, afterMs: random.between(0, of === 'deed' ? MAX_KILL_MS : MAX_JITTER_MS) };
};

const KINDS = ['pause', 'pause', 'pause', 'resume', 'resume', 'poison', 'mend', 'join', 'remove'] as const;

export const actText = ({ start, deed, kill }: Act): string => {
  const whom = 'tenants' in deed ? ` ${deed.tenants.join('+')}` : 'tenant' in deed ? ` ${deed.tenant}` : '';
  return `${start ? '+' : ''}${deed.kind}${whom}${kill ? ` killed ${kill.of} + ${kill.afterMs} ms` : ''}`;
};
