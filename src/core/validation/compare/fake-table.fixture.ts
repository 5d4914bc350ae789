/** A table in memory that answers as a Side, for tests of the comparison: rows by key, each with a value. */

import { createHash } from 'node:crypto';
import { addRow, keyId, NO_ROWS, type Digest, type KeyDigest } from './digest.ts';
import type { Candidate, Chunk, Side } from './side.ts';

const hash = (text: string): bigint => createHash('sha256').update(text).digest().readBigInt64BE();

export class FakeTable implements Side {
  readonly rowsByKey = new Map<number, string>();
  /** Largest number of keys that one answer held. */
  mostKeys = 0;
  /** How often each kind of question was asked. */
  asked = { digests: 0, keys: 0, rows: 0 };
  #version = 0;
  readonly #versions = new Map<number, number>();

  set(key: number, value: string): this {
    this.rowsByKey.set(key, value);
    this.#versions.set(key, ++this.#version);
    return this;
  }

  delete(key: number): this {
    this.rowsByKey.delete(key);
    return this;
  }

  digests(chunk: Chunk, only: readonly number[] | null): Promise<ReadonlyMap<number, Digest>> {
    this.asked.digests++;
    const digests = new Map<number, Digest>();
    for (const [key, value] of this.#inside(chunk, only)) {
      const bucket = bucketOf(key, chunk);
      digests.set(bucket, addRow(digests.get(bucket) ?? NO_ROWS, hash(`${key}=${value}`)));
    }
    return Promise.resolve(digests);
  }

  keys(chunk: Chunk, buckets: readonly number[]): Promise<ReadonlyMap<string, KeyDigest>> {
    this.asked.keys++;
    const keys = new Map(this.#inside(chunk, buckets).map(([key, value]) => this.#entry(key, value)));
    this.mostKeys = Math.max(this.mostKeys, keys.size);
    return Promise.resolve(keys);
  }

  rows(candidates: readonly Candidate[]): Promise<ReadonlyMap<string, KeyDigest>> {
    this.asked.rows++;
    const wanted = new Set(candidates.map((candidate) => candidate.id));
    const all = [...this.rowsByKey].map(([key, value]) => this.#entry(key, value));
    return Promise.resolve(new Map(all.filter(([id]) => wanted.has(id))));
  }

  #inside({ after, upTo, ...chunk }: Chunk, buckets: readonly number[] | null): [number, string][] {
    return [...this.rowsByKey].filter(
      ([key]) =>
        (after === null || key > Number(after[0])) &&
        (upTo === null || key <= Number(upTo[0])) &&
        (buckets === null || buckets.includes(bucketOf(key, { after, upTo, ...chunk }))),
    );
  }

  #entry(key: number, value: string): [string, KeyDigest] {
    const tenant = key % 2 === 0 ? 'even' : 'odd';
    const text = [String(key)];
    return [
      keyId(text, tenant),
      {
        ...addRow(NO_ROWS, hash(`${key}=${value}`)),
        key: text,
        tenant,
        version: String(this.#versions.get(key) ?? 0),
      },
    ];
  }
}

const bucketOf = (key: number, chunk: Chunk): number => key & (chunk.buckets - 1);
