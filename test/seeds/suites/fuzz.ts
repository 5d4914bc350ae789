/** Messages and answers of a real server, damaged in many ways. */

import { captureMessages, type Captured } from '../../fuzz/capture.ts';
import { recordConversations } from '../../fuzz/conversations.ts';
import { fuzzMessages, fuzzTransactions } from '../../fuzz/decoder.ts';
import { fuzzAnswers, fuzzPieces, type Conversation } from '../../fuzz/wire.ts';
import type { Suite } from '../suite.ts';

const MESSAGES = 5_000;
const TRANSACTIONS = 500;
const ANSWERS = 300;

interface Material {
  readonly captures: readonly Captured[];
  readonly conversations: readonly Conversation[];
}

/** Recorded once for all seeds of a run. */
let material: Promise<Material> | null = null;

const record = async (): Promise<Material> => ({
  captures: await captureMessages(),
  conversations: await recordConversations(),
});

const run = async (seed: number): Promise<string> => {
  const { captures, conversations } = await (material ??= record());
  const done = [
    fuzzMessages(captures, seed, MESSAGES),
    fuzzTransactions(captures, seed, TRANSACTIONS),
    await fuzzAnswers(conversations, seed, ANSWERS),
  ];
  await fuzzPieces(conversations, seed);
  return done.map(({ rounds, refused }) => `${refused} of ${rounds} refused`).join(', ');
};

export const fuzz: Suite = { name: 'fuzz', about: 'damaged messages and answers of a server', run };
