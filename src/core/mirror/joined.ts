/** Two listings and the last manifest, each in the order of keys, as one: what stands at each key. Holds one item of each. */

import { XcError } from '../errors/xc-error.ts';
import { compareKeys } from '../objects/keys.ts';
import type { ObjectInfo } from '../objects/object-store.ts';
import type { ManifestEntry } from './entry.ts';

export interface Met {
  readonly key: string;
  readonly source: ObjectInfo | null;
  readonly target: ObjectInfo | null;
  readonly known: ManifestEntry | null;
}

interface Keyed {
  readonly key: string;
}

export interface Listing<T> {
  /** For people, where the order is broken. */
  readonly name: string;
  readonly items: AsyncIterable<T>;
}

/**
 * Every key of source or target once, in order.
 * @throws XcError XC-5430 where a side is not in the order of its keys, since what seems to be missing might come later
 */
export async function* joined(
  sourceSide: Listing<ObjectInfo>,
  targetSide: Listing<ObjectInfo>,
  knownSide: Listing<ManifestEntry>,
): AsyncGenerator<Met> {
  const source = new Cursor(sourceSide);
  const target = new Cursor(targetSide);
  const known = new Cursor(knownSide);
  try {
    await Promise.all([source.step(), target.step(), known.step()]);
    for (;;) {
      const key = lower(source.now?.key, target.now?.key);
      if (key === undefined) return;
      while (known.now !== null && compareKeys(known.now.key, key) < 0) await known.step();
      yield { key, source: source.at(key), target: target.at(key), known: known.at(key) };
      if (source.at(key) !== null) await source.step();
      if (target.at(key) !== null) await target.step();
    }
  } finally {
    await Promise.all([source.end(), target.end(), known.end()]);
  }
}

const lower = (a: string | undefined, b: string | undefined): string | undefined =>
  a === undefined || b === undefined ? (a ?? b) : compareKeys(a, b) <= 0 ? a : b;

class Cursor<T extends Keyed> {
  now: T | null = null;
  readonly #name: string;
  readonly #items: AsyncIterator<T>;

  constructor({ name, items }: Listing<T>) {
    this.#name = name;
    this.#items = items[Symbol.asyncIterator]();
  }

  at(key: string): T | null {
    return this.now?.key === key ? this.now : null;
  }

  async step(): Promise<void> {
    const next = await this.#items.next();
    const before = this.now;
    this.now = next.done === true ? null : next.value;
    if (before !== null && this.now !== null && compareKeys(before.key, this.now.key) >= 0)
      throw new XcError('XC-5430', {
        subject: this.#name,
        why: `${JSON.stringify(this.now.key)} comes after ${JSON.stringify(before.key)}`,
      });
  }

  async end(): Promise<void> {
    await this.#items.return?.();
  }
}
