/**
 * A digest of rows that does not depend on their order: two lanes of 32 bits, each the sum of a hash of every row's line
 * in COPY's text format. It tells whether a table holds what was put into it; that what was put in is what was taken is
 * told by the sha256 of parts. The hash is MurmurHash3_x86_32 (Austin Appleby, public domain) under two seeds.
 */

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;
const [SEED_A, SEED_B] = [0x9747b28c, 0x3c6ef372];

export class RowsDigest {
  rows = 0;
  #a = 0;
  #b = 0;

  /** One row: its line with the line end. */
  add(bytes: Buffer, start: number, end: number): void {
    this.rows++;
    this.#a = (this.#a + murmur(bytes, start, end, SEED_A)) >>> 0;
    this.#b = (this.#b + murmur(bytes, start, end, SEED_B)) >>> 0;
  }

  /** Of 16 hexadecimal digits. */
  join({ rows, digest }: { readonly rows: number; readonly digest: string }): void {
    this.rows += rows;
    this.#a = (this.#a + Number.parseInt(digest.slice(0, 8), 16)) >>> 0;
    this.#b = (this.#b + Number.parseInt(digest.slice(8), 16)) >>> 0;
  }

  toString(): string {
    return [this.#a, this.#b].map((lane) => lane.toString(16).padStart(8, '0')).join('');
  }
}

const mixed = (k: number): number => {
  const product = Math.imul(k, C1);
  return Math.imul((product << 15) | (product >>> 17), C2);
};

const murmur = (bytes: Buffer, start: number, end: number, seed: number): number => {
  let hash = seed;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    hash ^= mixed(word);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let shift = 0; at < end; at++, shift += 8) tail |= bytes[at]! << shift;
  if (tail !== 0) hash ^= mixed(tail);
  hash ^= end - start;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
};
