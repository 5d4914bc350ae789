/**
 * Shapes of tables, many in one pair of databases: all are copied and streamed together, once in one go and once with the
 * run replaced in the middle of the copy and of the stream, and each says for itself what the target holds afterwards.
 */

import { expect } from 'vitest';
import { makePair, type Pair } from '../../harness/pair.ts';
import { wholeSchema } from '../whole-schema.ts';
import { initTarget, openTestEngine } from '../test-engine.ts';
import type { ConfigInput } from '../../../src/core/config/schema.ts';

export interface Shape {
  readonly name: string;
  /** Of both sides, or of each. */
  readonly schema: string | { readonly source: string; readonly target: string };
  /** Rows that the copy finds. */
  readonly before: string;
  /** Single statements or transactions, in order; the run is replaced between the first half and the second. */
  readonly changes: readonly string[];
  /** Gives the same on both sides once the target is caught up. */
  readonly same: string | { readonly source: string; readonly target: string };
  /** Of the target alone. */
  readonly target?: { readonly query: string; readonly gives: readonly object[] };
  /** Of the target alone, after everything came in one go. */
  readonly later?: { readonly query: string; readonly gives: readonly object[] };
  /** Added to the one rule. */
  readonly rule?: Partial<NonNullable<ConfigInput['rules']>[number]>;
}

type Side = 'source' | 'target';

const of = (both: string | Readonly<Record<Side, string>>, side: Side): string =>
  typeof both === 'string' ? both : both[side];

const sql = (shapes: readonly Shape[], side: Side): string =>
  shapes.map(({ schema }) => of(schema, side)).join(';\n');

const withRules =
  (shapes: readonly Shape[]) =>
  (config: ConfigInput): ConfigInput => {
    const whole = wholeSchema(config);
    const rule = shapes.reduce((all, shape) => merged(all, shape.rule ?? {}), whole.rules![0]!);
    return { ...whole, rules: [rule] };
  };

/** One level deep: settings by table of several shapes stand beside each other. */
const merged = <T extends object>(a: T, b: object): T => ({
  ...a,
  ...Object.fromEntries(
    Object.entries(b).map(([key, value]) => {
      const before: unknown = a[key as keyof T];
      const both = typeof before === 'object' && before !== null && !Array.isArray(before);
      return [key, both ? merged(before, value as object) : value];
    }),
  ),
});

export const pairOfShapes = async (
  shapes: readonly Shape[],
  config: (config: ConfigInput) => ConfigInput = (given) => given,
): Promise<Pair> => {
  const pair = await makePair({
    fixture: 'empty',
    config: (given) => config(withRules(shapes)(given)),
  });
  for (const side of ['source', 'target'] as const) {
    await pair[side].query('CREATE SCHEMA app');
    await pair[side].query(sql(shapes, side));
  }
  for (const { before } of shapes) if (before !== '') await pair.source.query(before);
  await initTarget(pair);
  return pair;
};

const run = async (pair: Pair, statements: readonly string[]): Promise<void> => {
  for (const statement of statements) await pair.source.query(statement);
};

const halves = (changes: readonly string[]): [readonly string[], readonly string[]] => {
  const middle = Math.ceil(changes.length / 2);
  return [changes.slice(0, middle), changes.slice(middle)];
};

/** Copy of everything, then everything streamed by one run. */
export const inOneGo = async (pair: Pair, shapes: readonly Shape[]): Promise<void> => {
  await using engine = await openTestEngine(pair);
  await engine.copyAndStream();
  await expectSame(pair, shapes, 'after the copy');
  for (const { changes } of shapes) await run(pair, changes);
  const { conflicts } = await engine.catchUp();
  expect(conflicts).toBe(0);
  await expectSame(pair, shapes, 'after the stream');
};

/** A run that ends in the middle of the copy, one that ends in the middle of the stream, and one that ends it. */
export const withRestarts = async (pair: Pair, shapes: readonly Shape[]): Promise<void> => {
  const never = new AbortController().signal;
  {
    await using first = await openTestEngine(pair);
    await first.engine.acquire();
    await first.publish();
    await first.createSlot();
    for (const step of (await first.copySteps(2)).filter((_, at) => at % 2 === 0))
      await first.engine.copyTable(step, never);
  }
  for (const { changes } of shapes) await run(pair, halves(changes)[0]);
  {
    await using second = await openTestEngine(pair);
    await second.engine.acquire();
    for (const step of (await second.copySteps(2)).filter((_, at) => at % 2 === 1))
      await second.engine.copyTable(step, never);
    await second.catchUp();
    await expectSame(pair, shapes, 'after the first half');
  }
  await using third = await openTestEngine(pair);
  await third.engine.acquire();
  for (const { changes } of shapes) await run(pair, halves(changes)[1]);
  await third.catchUp();
  await expectSame(pair, shapes, 'after the second half');
};

export const expectLater = async (pair: Pair, shapes: readonly Shape[]): Promise<void> => {
  for (const { name, later } of shapes)
    if (later) expect(await pair.target.query(later.query), name).toEqual(later.gives);
};

const expectSame = async (pair: Pair, shapes: readonly Shape[], when: string): Promise<void> => {
  for (const { name, same, target } of shapes) {
    const there = await pair.source.query(of(same, 'source'));
    expect(await pair.target.query(of(same, 'target')), `${name}, ${when}`).toEqual(there);
    if (target) expect(await pair.target.query(target.query), `${name}, ${when}`).toEqual(target.gives);
  }
};
