/** Messages of real servers, damaged: nothing but typed errors, and what is accepted is what the bytes say. */

import { describe, expect, test } from 'vitest';
import { captureMessages } from './capture.ts';
import { recordConversations } from './conversations.ts';
import { fuzzMessages, fuzzTransactions } from './decoder.ts';
import { fuzzAnswers, fuzzPieces } from './wire.ts';

const SEEDS = [1, 2];

describe.each([18, 15] as const)('messages of PostgreSQL %i', async (pg) => {
  const captures = await captureMessages({ pg });

  test('are of every kind', () => {
    const kinds = new Set(
      captures.flatMap(({ messages }) => messages.map((one) => String.fromCharCode(one[0]!))),
    );
    expect([...kinds].toSorted().join('')).toBe('ABCDEIKMOPRSTUYbcr');
  });

  test.each(SEEDS)('damaged one by one, seed %i', (seed) => {
    const { rounds, refused } = fuzzMessages(captures, seed, 4_000);
    expect(refused).toBeGreaterThan(rounds / 4);
    expect(refused).toBeLessThan(rounds);
  });

  test.each(SEEDS)('damaged within their transactions, seed %i', (seed) => {
    const { rounds, refused } = fuzzTransactions(captures, seed, 500);
    expect(refused).toBeGreaterThan(rounds / 4);
    expect(refused).toBeLessThan(rounds);
  });
});

describe('answers of PostgreSQL', async () => {
  const conversations = await recordConversations();

  test.each(SEEDS)('are the same however the network cuts them, seed %i', async (seed) => {
    await fuzzPieces(conversations, seed);
  });

  test.each(SEEDS)('damaged, seed %i', async (seed) => {
    const { rounds, refused } = await fuzzAnswers(conversations, seed, 300);
    expect(refused).toBeGreaterThan(rounds / 4);
    expect(refused).toBeLessThan(rounds);
  });
});
