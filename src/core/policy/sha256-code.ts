/**
 * SHA-256's compression function (FIPS 180-4, section 6.2.2) as WebAssembly, written out without a loop: a call of
 * OpenSSL for one short field costs several times what the field's blocks do, and knows no state to go on from.
 */

import { Buffer } from 'node:buffer';

const ROUNDS = 64;
const WORDS = 8;
const BLOCK_WORDS = 16;

/** Of WebAssembly's instructions (Core Specification, 5.4) those that are used here. */
const OP = {
  end: 0x0b,
  get: 0x20,
  set: 0x21,
  tee: 0x22,
  load: 0x28,
  store: 0x36,
  const: 0x41,
  add: 0x6a,
  and: 0x71,
  or: 0x72,
  xor: 0x73,
  shr: 0x76,
  rotl: 0x77,
  rotr: 0x78,
} as const;
const I32 = 0x7f;
/** Of an address, as a power of two. */
const ALIGNED = 2;
const MAGIC_AND_VERSION = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/** Parameters of `compress`, then its variables. */
const BLOCK = 0;
const FROM = 1;
const TO = 2;
const STATE = 3;
const SCHEDULE = STATE + WORDS;
const SUM = SCHEDULE + BLOCK_WORDS;
const PARAMETERS = 3;
const VARIABLES = SUM + 1 - PARAMETERS;

/** Instructions of an expression, whose value they leave on the stack, or of a statement. */
type Code = readonly number[];

/**
 * A module that imports nothing and exports `memory`, one page, and `compress(block, from, to)`: the state at `from`
 * goes on over the 64 bytes at `block` and is stored at `to`. States lie in memory as digests do, in big-endian words.
 */
export const sha256Module = (): Uint8Array<ArrayBuffer> =>
  Uint8Array.from([
    ...MAGIC_AND_VERSION,
    ...section(1, [1, 0x60, PARAMETERS, I32, I32, I32, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...text('memory'), 2, 0, ...text('compress'), 0, 0]),
    ...section(10, [1, ...sized([1, VARIABLES, I32, ...compress(), OP.end])]),
  ]);

const compress = (): Code => [
  ...each(WORDS, (word) => set(STATE + word, bigEndian(load(FROM, word)))),
  ...each(BLOCK_WORDS, (word) => set(SCHEDULE + word, bigEndian(load(BLOCK, word)))),
  ...each(ROUNDS, (number) => [...(number < BLOCK_WORDS ? [] : extend(number)), ...round(number)]),
  ...each(WORDS, (word) => [
    ...set(SUM, add(bigEndian(load(FROM, word)), get(STATE + word))),
    ...store(TO, word, bigEndian(get(SUM))),
  ]),
];

const each = (count: number, of: (index: number) => Code): Code =>
  Array.from({ length: count }, (_, index) => of(index)).flat();

/** The words a to h change places by their names, not by their values: after a round h is a, a is b, and so on. */
const round = (number: number): Code => {
  const word = (place: number): number => STATE + ((place - number) & 7);
  const [a, b, c, d] = [get(word(0)), get(word(1)), get(word(2)), get(word(3))];
  const [e, f, g, h] = [get(word(4)), get(word(5)), get(word(6)), get(word(7))];
  const choice = xor(and(xor(f, g), e), g);
  const majority = or(and(a, b), and(or(a, b), c));
  const added = add(constant(roundConstants[number]!), get(SCHEDULE + (number & 15)));
  return [
    ...set(SUM, add(h, rotations(e, 6, 11, 25), choice, added)),
    ...set(word(3), add(d, get(SUM))),
    ...set(word(7), add(get(SUM), rotations(a, 2, 13, 22), majority)),
  ];
};

/** Sixteen words of the schedule are enough: each takes the place of the one that is used no more. */
const extend = (number: number): Code => {
  const back = (words: number): number => SCHEDULE + ((number - words) & 15);
  const [late, early] = [get(back(2)), get(back(15))];
  return set(
    back(16),
    add(
      get(back(16)),
      xor(rotate(early, 7), rotate(early, 18), shift(early, 3)),
      get(back(7)),
      xor(rotate(late, 17), rotate(late, 19), shift(late, 10)),
    ),
  );
};

/** Instructions take what the ones before left on the stack. */
const chained =
  (operator: number) =>
  (first: Code, ...others: readonly Code[]): Code => [
    ...first,
    ...others.flatMap((other) => [...other, operator]),
  ];
const add = chained(OP.add);
const and = chained(OP.and);
const or = chained(OP.or);
const xor = chained(OP.xor);

const rotate = (value: Code, bits: number): Code => [...value, ...constant(bits), OP.rotr];
const shift = (value: Code, bits: number): Code => [...value, ...constant(bits), OP.shr];
const rotations = (of: Code, ...bits: readonly [number, number, number]): Code =>
  xor(rotate(of, bits[0]), rotate(of, bits[1]), rotate(of, bits[2]));

const get = (local: number): Code => [OP.get, local];
const set = (local: number, value: Code): Code => [...value, OP.set, local];
const load = (base: number, word: number): Code => [...get(base), OP.load, ALIGNED, word * 4];
const store = (base: number, word: number, value: Code): Code => [
  ...get(base),
  ...value,
  OP.store,
  ALIGNED,
  word * 4,
];

/** WebAssembly reads little-endian words. */
const bigEndian = (value: Code): Code => {
  const turned: Code = [...value, OP.tee, SUM, ...constant(8), OP.rotl];
  return or(and(turned, constant(0x00ff00ff)), and(rotate(get(SUM), 8), constant(0xff00ff00)));
};

/** Signed LEB128 of 32 bits. */
const constant = (value: number): Code => {
  const bytes: number[] = [OP.const];
  let left = value | 0;
  for (;;) {
    const low = left & 0x7f;
    left >>= 7;
    if ((left === 0 && low < 0x40) || (left === -1 && low >= 0x40)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
};

const unsigned = (value: number): Code =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
const sized = (bytes: Code): Code => [...unsigned(bytes.length), ...bytes];
const section = (id: number, bytes: Code): Code => [id, ...sized(bytes)];
const text = (name: string): Code => sized([...Buffer.from(name, 'latin1')]);

const primes = (count: number): number[] => {
  const found: number[] = [];
  for (let number = 2; found.length < count; number++)
    if (found.every((prime) => number % prime !== 0)) found.push(number);
  return found;
};

/** The first 32 bits of a root's fraction. */
const fraction = (root: number): number => ((root % 1) * 2 ** 32) | 0;

/** Section 4.2.2. */
const roundConstants = primes(ROUNDS).map((prime) => fraction(Math.cbrt(prime)));
/** Section 5.3.3. */
export const initialState: readonly number[] = primes(WORDS).map((prime) => fraction(Math.sqrt(prime)));
