/** Everything that a seed decides, before anything happens: the same seed gives the same plan. */

import { seededRandom, type SeededRandom } from '../../../fixtures/shop/random.ts';
import { randomSchema, type Schema } from './schema.ts';
import { firstRows, randomTransaction, type Transaction } from './transactions.ts';

export const NAME = 'workload';

/** kill and stop are the runner's; crash, cut, stall, slow and terminate a side's. */
export type Fault =
  | { readonly kind: 'kill' | 'stop' }
  | {
      readonly kind: 'cut' | 'stall' | 'slow' | 'refuse' | 'terminate' | 'crash';
      readonly side: 'source' | 'target';
      readonly forMs: number;
    };

export interface TimedFault {
  /** Of all transactions, how many are done when it comes. */
  readonly after: number;
  /** And a moment more. */
  readonly jitterMs: number;
  readonly fault: Fault;
}

export interface WorkloadPlan {
  readonly schema: Schema;
  readonly first: readonly string[];
  readonly writers: readonly (readonly Transaction[])[];
  /** In the order in which they come. */
  readonly faults: readonly TimedFault[];
  /** Writers begin together with the copy, and not only after it. */
  readonly duringCopy: boolean;
  /** Rows at the target are checked by the product as well. */
  readonly verify: 'off' | 'changed' | 'full';
}

const MAX_WRITERS = 3;
const TRANSACTIONS = [15, 50] as const;
const MAX_FAULTS = 3;
const MAX_JITTER_MS = 150;
const MAX_FAULT_MS = 400;
/** Of seeds in which a server is killed: it takes seconds until it is there again. */
const CRASH_SHARE = 0.15;

export const planOf = (seed: number): WorkloadPlan => {
  const random = (purpose: string): SeededRandom => seededRandom(NAME, purpose, seed);
  const schema = randomSchema(random('schema'));
  const traffic = random('traffic');
  const writers = Array.from({ length: traffic.between(1, MAX_WRITERS) }, () =>
    Array.from({ length: traffic.between(...TRANSACTIONS) }, () => randomTransaction(traffic, schema)),
  );
  const total = writers.reduce((sum, list) => sum + list.length, 0);
  const shape = random('shape');
  return {
    schema,
    first: firstRows(random('first rows'), schema),
    writers,
    faults: faultsOf(random('faults'), total),
    duringCopy: shape.chance(0.6),
    verify: verifyOf(shape, writers),
  };
};

/** A table whose rows lie in another file afterwards is unknown until it is compared (XC-5224). */
const verifyOf = (random: SeededRandom, writers: WorkloadPlan['writers']): WorkloadPlan['verify'] => {
  const verify = random.pick(['off', 'off', 'changed', 'full'] as const);
  const empties = writers.some((list) =>
    list.some(({ statements }) => statements.some((statement) => statement.startsWith('TRUNCATE'))),
  );
  return empties && verify === 'off' ? 'changed' : verify;
};

const faultsOf = (random: SeededRandom, total: number): TimedFault[] => {
  const timed = (fault: Fault): TimedFault => ({
    after: random.between(0, total),
    jitterMs: random.between(0, MAX_JITTER_MS),
    fault,
  });
  const faults = Array.from({ length: random.between(0, MAX_FAULTS) }, () => timed(smallFault(random)));
  if (random.chance(CRASH_SHARE)) faults.push(timed({ kind: 'crash', side: sideOf(random), forMs: 0 }));
  return faults.toSorted((a, b) => a.after - b.after);
};

const sideOf = (random: SeededRandom): 'source' | 'target' => random.pick(['source', 'target'] as const);

const smallFault = (random: SeededRandom): Fault => {
  const kind = random.pick([
    'kill',
    'kill',
    'kill',
    'stop',
    'cut',
    'cut',
    'stall',
    'slow',
    'refuse',
    'terminate',
  ] as const);
  if (kind === 'kill' || kind === 'stop') return { kind };
  return { kind, side: sideOf(random), forMs: random.between(20, MAX_FAULT_MS) };
};

export const faultText = ({ after, jitterMs, fault }: TimedFault): string =>
  `${fault.kind}${'side' in fault ? ` ${fault.side}` : ''} after ${after} + ${jitterMs} ms`;
