/**
 * SHA-256's compression function (FIPS 180-4, section 6.2.2) as WebAssembly, written out without a loop: a call of
 * OpenSSL for one short field costs several times what the field's blocks do, and knows no state to go on from.
 */

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

/** Parameters of `compress`, then its variables. */
const BLOCK = 0;
const FROM = 1;
const TO = 2;
const STATE = 3;
const SCHEDULE = STATE + WORDS;
const SUM = SCHEDULE + BLOCK_WORDS;
const PARAMETERS = 3;
const VARIABLES = SUM + 1 - PARAMETERS;

/**
 * A module that imports nothing and exports `memory`, one page, and `compress(block, from, to)`: the state at `from`
 * goes on over the 64 bytes at `block` and is stored at `to`. States lie in memory as digests do, in big-endian words.
 */
export const sha256Module = (): Uint8Array<ArrayBuffer> =>
  Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, PARAMETERS, I32, I32, I32, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...text('memory'), 2, 0, ...text('compress'), 0, 0]),
    ...section(10, [1, ...sized([1, VARIABLES, I32, ...compress(), OP.end])]),
  ]);

const compress = (): number[] => [
  ...words(WORDS, (word) => [...bigEndian(load(FROM, word)), OP.set, STATE + word]),
  ...words(BLOCK_WORDS, (word) => [...bigEndian(load(BLOCK, word)), OP.set, SCHEDULE + word]),
  ...words(ROUNDS, (number) => [...(number < BLOCK_WORDS ? [] : extend(number)), ...round(number)]),
  ...words(WORDS, (word) => {
    const sum = [...bigEndian(load(FROM, word)), ...get(STATE + word), OP.add, OP.set, SUM];
    return [...sum, ...get(TO), ...bigEndian(get(SUM)), OP.store, 2, word * 4];
  }),
];

const words = (count: number, each: (index: number) => number[]): number[] =>
  Array.from({ length: count }, (_, index) => each(index)).flat();

/** The words a to h change places by their names, not by their values: after a round h is a, a is b, and so on. */
const round = (number: number): number[] => {
  const [a, b, c, d, e, f, g, h] = Array.from({ length: WORDS }, (_, word) =>
    STATE + ((word - number) & 7),
  ) as [number, number, number, number, number, number, number, number];
  return [
    ...[...get(h), ...rotations(e, 6, 11, 25), OP.add],
    ...[...get(f), ...get(g), OP.xor, ...get(e), OP.and, ...get(g), OP.xor, OP.add],
    ...[...constant(roundConstants[number]!), OP.add, ...get(SCHEDULE + (number & 15)), OP.add, OP.tee, SUM],
    ...[...get(d), OP.add, OP.set, d],
    ...[...get(SUM), ...rotations(a, 2, 13, 22), OP.add],
    ...[...get(a), ...get(b), OP.and, ...get(a), ...get(b), OP.or, ...get(c), OP.and, OP.or, OP.add, OP.set, h],
  ];
};

/** Sixteen words of the schedule are enough: each takes the place of the one that is used no more. */
const extend = (number: number): number[] => {
  const word = (back: number): number => SCHEDULE + ((number - back) & 15);
  return [
    ...[...get(word(16)), ...small(word(15), 7, 18, 3), OP.add],
    ...[...get(word(7)), OP.add, ...small(word(2), 17, 19, 10), OP.add, OP.set, word(16)],
  ];
};

const rotations = (of: number, one: number, two: number, three: number): number[] => [
  ...[...get(of), ...constant(one), OP.rotr, ...get(of), ...constant(two), OP.rotr, OP.xor],
  ...[...get(of), ...constant(three), OP.rotr, OP.xor],
];

const small = (of: number, one: number, two: number, shift: number): number[] => [
  ...[...get(of), ...constant(one), OP.rotr, ...get(of), ...constant(two), OP.rotr, OP.xor],
  ...[...get(of), ...constant(shift), OP.shr, OP.xor],
];

const get = (local: number): number[] => [OP.get, local];
const load = (base: number, word: number): number[] => [...get(base), OP.load, 2, word * 4];

/** WebAssembly reads little-endian words. */
const bigEndian = (value: readonly number[]): number[] => [
  ...[...value, OP.tee, SUM, ...constant(8), OP.rotl, ...constant(0x00ff00ff), OP.and],
  ...[...get(SUM), ...constant(8), OP.rotr, ...constant(0xff00ff00), OP.and, OP.or],
];

/** Signed LEB128 of 32 bits. */
const constant = (value: number): number[] => {
  const bytes: number[] = [OP.const];
  let left = value | 0;
  for (;;) {
    const low = left & 0x7f;
    left >>= 7;
    if ((left === 0 && low < 0x40) || (left === -1 && low >= 0x40)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
};

const unsigned = (value: number): number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
const sized = (bytes: readonly number[]): number[] => [...unsigned(bytes.length), ...bytes];
const section = (id: number, bytes: readonly number[]): number[] => [id, ...sized(bytes)];
const text = (name: string): number[] => sized([...name].map((character) => character.charCodeAt(0)));

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
