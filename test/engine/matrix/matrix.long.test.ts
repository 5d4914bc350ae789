/**
 * Every kind of type, identity and transaction, each through every way that rows take to the target: the copy, the
 * stream, and both across crashes in their middle; as binary values, and once more as text.
 */

import { describe, expect, test, vi } from 'vitest';
import * as ordered from '../../../src/providers/postgres/target/ordered-batch.ts';
import type { Pair } from '../../harness/pair.ts';
import { openTestEngine } from '../test-engine.ts';
import type { Case } from './case.ts';
import { constraintCases } from './constraint-cases.ts';
import { identityCases } from './identity-cases.ts';
import { expectArrived, expectNoStrangers, matrixPair, schemaOf, Writer } from './matrix.ts';
import { copyPart, copyRestAndStop, stopInside } from './restart.ts';
import { shapeCases } from './shape-cases.ts';
import { transactionCases } from './transaction-cases.ts';
import { triggerCases } from './trigger-cases.ts';
import { textCases, typeCases } from './type-cases.ts';

/** As it is, and counted. */
const applied = vi.spyOn(ordered, 'applyOrdered');

/** The last one's table is where an applier is stopped in the middle of its transaction. */
const last: Case = {
  name: 'the end',
  way: 'set',
  schema: 'CREATE TABLE app.t (id int PRIMARY KEY)',
  tables: ['app.t'],
  changes: ['INSERT INTO app.t VALUES (1)', 'INSERT INTO app.t VALUES (2)', 'INSERT INTO app.t VALUES (3)'],
};
const others = [
  ...identityCases,
  ...constraintCases,
  ...shapeCases,
  ...transactionCases,
  ...triggerCases,
  last,
];
const binary = [...typeCases, ...others];
const text = [...typeCases, ...textCases, ...others];

/** Writes the changes of all cases from one share of each to another. */
const write = async (writer: Writer, cases: readonly Case[], from = 0, to = 1): Promise<void> => {
  for (const [at, one] of cases.entries()) {
    const upTo = (share: number): number => Math.floor(one.changes.length * share);
    for (let step = upTo(from); step < upTo(to); step++) await writer.change(one, at, step);
  }
};

const expectEqual = async (pair: Pair, cases: readonly Case[]): Promise<void> => {
  await expectArrived(pair, cases);
  await expectNoStrangers(pair, cases);
};

test('what is there before arrives by the copy', async () => {
  await using pair = await matrixPair(binary);
  await using writer = new Writer(pair.source);
  await writer.begin(binary);
  await write(writer, binary);
  await using engine = await openTestEngine(pair);
  await engine.copyAndStream();
  await expectEqual(pair, binary);
});

test('changes arrive by the stream: as a set where that is right, else in the order of the source', async () => {
  await using pair = await matrixPair(binary);
  await using writer = new Writer(pair.source);
  await writer.begin(binary);
  await using engine = await openTestEngine(pair);
  await engine.copyAndStream();
  const streamed = async (cases: readonly Case[]): Promise<{ fallbacks: number; ordered: boolean }> => {
    applied.mockClear();
    for (const [at, one] of binary.entries())
      if (cases.includes(one)) for (const step of one.changes.keys()) await writer.change(one, at, step);
    const { fallbacks, conflicts } = await engine.catchUp();
    expect.soft(conflicts).toBe(0);
    return { fallbacks, ordered: applied.mock.calls.length > 0 };
  };
  const ways = Map.groupBy(binary, ({ way }) => way);
  expect.soft(await streamed(ways.get('set')!)).toEqual({ fallbacks: 0, ordered: false });
  for (const one of ways.get('falls back')!)
    expect.soft((await streamed([one])).fallbacks, one.name).toBeGreaterThan(0);
  expect.soft(await streamed(ways.get('ordered')!)).toEqual({ fallbacks: 0, ordered: true });
  await expectEqual(pair, binary);
});

test('changes arrive by a stream that flows while they are written, as text', async () => {
  await using pair = await matrixPair(text);
  await using writer = new Writer(pair.source);
  await writer.begin(text);
  await using engine = await openTestEngine(pair);
  await engine.copyAndStream();
  const stop = new AbortController();
  const flowing = engine.follow(stop.signal);
  try {
    await write(writer, text);
  } finally {
    stop.abort();
    await flowing;
  }
  await engine.catchUp();
  await expectEqual(pair, text);
});

describe.each([
  { form: 'binary', cases: binary },
  { form: 'text', cases: text },
])('across crashes, as $form', ({ cases }) => {
  test('everything arrives once', async () => {
    await using pair = await matrixPair(cases);
    await using writer = new Writer(pair.source);
    await writer.begin(cases);
    await copyPart(pair, cases.length);
    await write(writer, cases, 0, 0.34);
    await copyRestAndStop(pair);
    await write(writer, cases, 0.34, 0.67);
    await stopInside(pair, `${schemaOf(cases.length - 1)}.t`);
    await write(writer, cases, 0.67);
    await using engine = await openTestEngine(pair);
    await engine.engine.acquire();
    await engine.catchUp();
    await expectEqual(pair, cases);
  });
});
