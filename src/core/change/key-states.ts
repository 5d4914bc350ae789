/**
 * What the changes of a batch make of each key: a hash table over the keys' bytes, of numbers alone. A string and an
 * object for each key would cost more than reading the change, and be garbage after every batch; this memory serves all
 * batches of a session.
 */

import type { Buffer } from 'node:buffer';

/** The row that the target may hold now must go. */
export const REMOVE = 1;
/** There is a row in the end: one that the target does not have once removals are done, or one that it has. */
export const INSERTED = 2;
export const UPDATED = 4;
export const HAS_ROW = INSERTED | UPDATED;
/** Some of its fields are unchanged and not there. */
export const UNCHANGED = 8;

/** A change concerns two keys at most. */
const KEYS_A_CHANGE = 2;
/** Past this the memory of an exceptional batch is given back. */
const KEEP_STATES = 2 ** 18;

export class KeyStates {
  /** Flags by state; 0 where nothing came of the key. Valid below `size`. */
  what = new Uint8Array(0);
  /** Key and row in the batch's arena. */
  keyStart = new Int32Array(0);
  keyEnd = new Int32Array(0);
  rowStart = new Int32Array(0);
  rowEnd = new Int32Array(0);
  size = 0;
  #owner = new Int32Array(0);
  #hash = new Int32Array(0);
  /** State + 1 by hash, 0 where free: open addressing with linear probing, half of it free at least. */
  #slots = new Int32Array(0);
  #mask = 0;

  /** Forgets all keys, and makes room for those of so many changes. */
  reset(changes: number): void {
    this.size = 0;
    const states = changes * KEYS_A_CHANGE;
    if (states > this.what.length || this.what.length > KEEP_STATES) this.#allocate(states);
    let slots = 16;
    while (slots < states * 2) slots *= 2;
    this.#mask = slots - 1;
    if (slots > this.#slots.length) this.#slots = new Int32Array(slots);
    else this.#slots.fill(0, 0, slots);
  }

  /** The key's state, a new one with nothing where it did not come before. @param owner whose key it is, a number */
  at(owner: number, bytes: Buffer, start: number, end: number): number {
    const hash = hashOf(owner, bytes, start, end);
    let slot = hash & this.#mask;
    for (let state = this.#slots[slot]! - 1; state >= 0; state = this.#slots[slot]! - 1) {
      if (this.#hash[state] === hash && this.#owner[state] === owner && this.#isKey(state, bytes, start, end))
        return state;
      slot = (slot + 1) & this.#mask;
    }
    const state = this.size++;
    this.#slots[slot] = state + 1;
    this.#hash[state] = hash;
    this.#owner[state] = owner;
    this.what[state] = 0;
    this.keyStart[state] = start;
    this.keyEnd[state] = end;
    return state;
  }

  #isKey(state: number, bytes: Buffer, start: number, end: number): boolean {
    const from = this.keyStart[state]!;
    if (this.keyEnd[state]! - from !== end - start) return false;
    for (let at = start, other = from; at < end; at++, other++) if (bytes[at] !== bytes[other]) return false;
    return true;
  }

  #allocate(states: number): void {
    const room = Math.max(states, 1024);
    this.what = new Uint8Array(room);
    this.keyStart = new Int32Array(room);
    this.keyEnd = new Int32Array(room);
    this.rowStart = new Int32Array(room);
    this.rowEnd = new Int32Array(room);
    this.#owner = new Int32Array(room);
    this.#hash = new Int32Array(room);
    this.#slots = new Int32Array(0);
  }
}

/** FNV-1a over the bytes, and the last step of MurmurHash3 for its low bits, which choose the slot. */
const hashOf = (owner: number, bytes: Buffer, start: number, end: number): number => {
  let hash = 0x811c9dc5 ^ owner;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
};
