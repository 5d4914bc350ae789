/** Damaged messages through the decoder and the collector: an XC-5201, or exactly what the bytes say. */

import { isDeepStrictEqual } from 'node:util';
import { seededRandom, type SeededRandom } from '../../fixtures/shop/random.ts';
import { decodeMessage, type PgoutputHandler } from '../../src/core/change/pgoutput.ts';
import { isXcError } from '../../src/core/errors/xc-error.ts';
import type { Captured } from './capture.ts';
import { collected, expectedOf } from './collected.ts';
import { mutated } from './mutate.ts';
import { readMessage, readRow, Unreadable, type Reading } from './reference.ts';

/** What became of the damaged messages; the rest were read as the reference reads them. */
export interface Fuzzed {
  readonly rounds: number;
  readonly refused: number;
}

/** One message at a time, with another one's bytes before and behind it. @throws Error with the bytes in hex */
export const fuzzMessages = (captures: readonly Captured[], seed: number, rounds: number): Fuzzed => {
  const random = seededRandom('fuzz messages', seed);
  const all = captures.flatMap(({ messages }) => messages);
  const kinds = [...Map.groupBy(all, (message) => message[0]).values()];
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    const message = mutated(random.pick(random.pick(kinds)), random);
    const [before, behind] = [random.pick(all), random.pick(all)];
    const bytes = Buffer.concat([before, message, behind]);
    const expected = reference(message);
    const found = outcome(() => decoded(bytes, before.length, before.length + message.length));
    if (found === REFUSED) refused++;
    if (!isDeepStrictEqual(found, expected)) throw new Error(complaint(message, found, expected));
  }
  return { rounds, refused };
};

/** Whole transactions with one damaged, doubled, lost or misplaced message, into batches. */
export const fuzzTransactions = (captures: readonly Captured[], seed: number, rounds: number): Fuzzed => {
  const random = seededRandom('fuzz transactions', seed);
  const ours = captures.filter((capture) => capture.ours);
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    const { messages } = random.pick(ours);
    const stream = disturbed(messages, random);
    const found = outcome(() => collected(stream));
    if (found === REFUSED) {
      refused++;
      continue;
    }
    const expected = expectedOf(stream);
    if (!isDeepStrictEqual(found, expected))
      throw new Error(
        `${JSON.stringify(stream.map((one) => one.toString('hex')))}\n${shown(found)}\n${shown(expected)}`,
      );
  }
  return { rounds, refused };
};

const REFUSED = 'refused';

/** Longer than any message of the capture takes by far; a loop without a bound takes for ever. */
const MAX_MS = 5_000;

/** @throws whatever is no XC-5201 */
const outcome = <T>(work: () => T): T | typeof REFUSED => {
  const startMs = performance.now();
  const result = orRefused(work);
  const tookMs = performance.now() - startMs;
  if (tookMs > MAX_MS) throw new Error(`it took ${Math.round(tookMs)} ms`);
  return result;
};

const orRefused = <T>(work: () => T): T | typeof REFUSED => {
  try {
    return work();
  } catch (error) {
    if (isXcError(error, 'XC-5201')) return REFUSED;
    throw error;
  }
};

const reference = (message: Buffer): Reading | typeof REFUSED => {
  try {
    return readMessage(message);
  } catch (error) {
    if (error instanceof Unreadable) return REFUSED;
    throw error;
  }
};

/** What the handler was told, in the reference's terms. */
const decoded = (bytes: Buffer, start: number, end: number): Reading => {
  let reading: Reading = { kind: 'type' };
  const tell = (one: Reading): void => void (reading = one);
  const row = (at: number) => readRow(bytes.subarray(at, end));
  const handler: PgoutputHandler = {
    begin: () => tell({ kind: 'begin' }),
    commit: () => tell({ kind: 'commit' }),
    origin: () => tell({ kind: 'origin' }),
    message: () => tell({ kind: 'message' }),
    relation: ({ oid, schema, name, columns }) =>
      tell({
        kind: 'relation',
        oid,
        name: `${schema === 'pg_catalog' ? '' : schema}.${name}`,
        columns: columns.map((column) => column.name),
      }),
    insert: (oid, _bytes, at) => tell({ kind: 'insert', oid, row: row(at) }),
    update: (oid, _bytes, oldKind, old, at) =>
      tell({ kind: 'update', oid, oldKind, old: oldKind ? row(old) : [], row: row(at) }),
    delete: (oid, _bytes, oldKind, old) => tell({ kind: 'delete', oid, oldKind, old: row(old) }),
    truncate: (oids) => tell({ kind: 'truncate', oids }),
  };
  decodeMessage(bytes, start, end, handler);
  return reading;
};

const disturbed = (messages: readonly Buffer[], random: SeededRandom): Buffer[] => {
  const stream = [...messages];
  // A kind first: most messages are inserts.
  const kind = random.pick([...new Set(messages.map((one) => one[0]))]);
  const at = random.pick([...messages.keys()].filter((index) => messages[index]![0] === kind));
  const message = stream[at]!;
  switch (random.between(0, 9)) {
    case 0:
      stream.splice(at, 1);
      break;
    case 1:
      stream.splice(at, 0, message);
      break;
    case 2:
      stream.splice(at, 1);
      stream.splice(random.between(0, stream.length), 0, message);
      break;
    default:
      stream[at] = mutated(message, random);
  }
  return stream;
};

const shown = (value: unknown): string => JSON.stringify(value).slice(0, 2_000);

const complaint = (message: Buffer, found: unknown, expected: unknown): string =>
  `${message.toString('hex')}\nread as ${shown(found)}\ninstead of ${shown(expected)}`;
