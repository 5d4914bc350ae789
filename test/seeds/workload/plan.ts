/** Everything that a seed decides, before anything happens: the same seed gives the same plan. */

import { seededRandom, type SeededRandom } from '../../../fixtures/shop/random.ts';
import { evolve, unchanged, type Evolution, type SchemaChange } from './changes.ts';
import { randomSchema, type Schema, type Table } from './schema.ts';
import { firstRows, randomTransaction, touches, type Transaction } from './transactions.ts';

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
  /** In the order in which they come. */
  readonly changes: readonly SchemaChange[];
  /** What the schema is in the end. */
  readonly last: Schema;
  /** Tables that came meanwhile. */
  readonly created: readonly Table[];
  /** What the rules say of changes. */
  readonly ddl: 'stop' | 'additive';
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
/** Of seeds in which the schema changes while its tables are streamed. */
const CHANGES_SHARE = 0.35;
/** Of seeds in which a server is killed: it takes seconds until it is there again. */
const CRASH_SHARE = 0.15;

export const planOf = (seed: number): WorkloadPlan => {
  const random = (purpose: string): SeededRandom => seededRandom(NAME, purpose, seed);
  const schema = randomSchema(random('schema'));
  const traffic = random('traffic');
  const lengths = Array.from({ length: traffic.between(1, MAX_WRITERS) }, () =>
    traffic.between(...TRANSACTIONS),
  );
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const moves = random('changes');
  const evolution = moves.chance(CHANGES_SHARE) ? evolve(moves, schema, total) : unchanged(schema);
  // All writers are about equally far.
  const writers = lengths.map((length) =>
    Array.from({ length }, (_, index) => randomTransaction(traffic, evolution.at(index * lengths.length))),
  );
  const shape = random('shape');
  return {
    schema,
    first: firstRows(random('first rows'), schema),
    writers,
    faults: faultsOf(random('faults'), total),
    changes: evolution.changes,
    last: evolution.last,
    created: evolution.created,
    ddl: moves.pick(['stop', 'additive'] as const),
    duringCopy: shape.chance(0.6),
    verify: verifyOf(shape, writers, evolution),
  };
};

/** A table whose rows lie in another file afterwards is unknown until it is compared (XC-5224). */
const verifyOf = (
  random: SeededRandom,
  writers: WorkloadPlan['writers'],
  { changes }: Evolution,
): WorkloadPlan['verify'] => {
  const verify = random.pick(['off', 'off', 'changed', 'full'] as const);
  const rewrites = changes.some((change) => change.rewrites);
  const empties = writers.some((list) =>
    list.some(({ statements }) => statements.some((statement) => statement.startsWith('TRUNCATE'))),
  );
  return (empties || rewrites) && verify === 'off' ? 'changed' : verify;
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

export const changesText = ({ changes, ddl }: WorkloadPlan): string =>
  changes.length === 0
    ? ''
    : `, ddl: ${ddl}: ${changes.map(({ after, sql }) => `${sql.slice(0, 60)} after ${after}`).join('; ')}`;

/** What is written when the traffic is over, so that the target needs the schema of then. */
export const lastTouches = (seed: number, last: Schema): readonly string[] =>
  touches(seededRandom(NAME, 'last touches', seed), last);
