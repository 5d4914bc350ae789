/** Damaged answers of a server: each exchange ends, with an answer or a typed error, and nothing else happens. */

import { isDeepStrictEqual } from 'node:util';
import { seededRandom, type SeededRandom } from '../../fixtures/shop/random.ts';
import { isXcError } from '../../src/core/errors/xc-error.ts';
import { ServerError } from '../../src/providers/postgres/wire/server-error.ts';
import { fakeConnection, type FakeConnection } from './fake-socket.ts';
import { mutated } from './mutate.ts';
import type { Fuzzed } from './decoder.ts';

/** A conversation with a server: what it answered, and the code of ours that reads that. */
export interface Conversation {
  readonly name: string;
  readonly answer: Buffer;
  /** Reads the whole answer. @throws what the connection throws */
  readonly read: (fake: FakeConnection) => Promise<unknown>;
}

/** Cut in any pieces, the answer says the same. @throws Error that names the conversation */
export const fuzzPieces = async (conversations: readonly Conversation[], seed: number): Promise<void> => {
  const random = seededRandom('fuzz pieces', seed);
  for (const { name, answer, read } of conversations) {
    const whole = await outcome(read, [answer]);
    const inPieces = await outcome(read, pieces(answer, random));
    if (!isDeepStrictEqual(whole, inPieces))
      throw new Error(`${name} in pieces: ${JSON.stringify(inPieces)} instead of ${JSON.stringify(whole)}`);
  }
};

export const fuzzAnswers = async (
  conversations: readonly Conversation[],
  seed: number,
  rounds: number,
): Promise<Fuzzed> => {
  const random = seededRandom('fuzz answers', seed);
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    const { answer, read } = random.pick(conversations);
    let damaged = answer;
    for (let left = random.between(1, 2); left > 0; left--) damaged = mutated(damaged, random);
    if ((await outcome(read, pieces(damaged, random))) === REFUSED) refused++;
  }
  return { rounds, refused };
};

/** A reader that awaits something between two messages is there again by then. */
const TURNS_TO_READ = 4;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const REFUSED = 'refused';
/** An exchange that is neither answered nor closed by then hangs. */
const MAX_MS = 20_000;

/** @throws whatever is neither a typed error nor an error that the server itself reports, and when it hangs */
const outcome = async (read: Conversation['read'], chunks: readonly Buffer[]): Promise<unknown> => {
  const fake = fakeConnection();
  const reading = read(fake);
  // It may end before anybody waits for it.
  reading.catch(() => undefined);
  for (const chunk of chunks) {
    await turn();
    fake.receive(chunk);
  }
  for (let left = TURNS_TO_READ; left > 0; left--) await turn();
  fake.close();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`no end: ${Buffer.concat(chunks).toString('hex')}`)),
    MAX_MS,
  );
  try {
    return await Promise.race([reading, late]);
  } catch (error) {
    if (isXcError(error, 'XC-5201', 'XC-5208', 'XC-6001')) return REFUSED;
    if (error instanceof ServerError) return error.message;
    throw error;
  } finally {
    clearTimeout(timer);
  }
};

const MAX_PIECES = 6;

const pieces = (bytes: Buffer, random: SeededRandom): Buffer[] => {
  const cuts = Array.from({ length: random.between(0, MAX_PIECES) }, () => random.between(0, bytes.length));
  const ends = [...cuts.toSorted((a, b) => a - b), bytes.length];
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
};
