/**
 * Appends to the log, one process at a time: takes the lock, reads what others appended since, writes all waiting entries
 * as one write, and makes them durable with one sync; syncs again as soon as the last one returns. The tree grows while
 * the disk works.
 */

import { setImmediate as immediately, setTimeout as sleep } from 'node:timers/promises';
import type { Checkpoint } from '../../core/audit/checkpoint.ts';
import type { GrowingTree } from '../../core/audit/growing-tree.ts';
import type { LogKeys, LogLock } from '../../core/audit/log.ts';
import { leafHash } from '../../core/audit/merkle.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { ENTRIES_PER_FILE, type EntryFiles } from './entry-files.ts';
import type { LogDirectory } from './log-directory.ts';
import { Publisher } from './publisher.ts';

/** How long the lock is kept when nothing waits, so that the next entry need not take it again. */
const LINGER_MS = 30;
/** How often a process that appends without pause looks whether another one waits. */
const TURN_MS = 250;
/** How often, and how long in all, the lock is asked for. */
const LOCK_POLL_MS = 10;
const LOCK_WAIT_MS = 30_000;

interface Waiting {
  readonly lines: readonly Buffer[];
  readonly resolve: (numbers: number[]) => void;
  readonly reject: (error: unknown) => void;
}

export class Sequencer implements AsyncDisposable {
  readonly #directory: LogDirectory;
  readonly #entries: EntryFiles;
  readonly #lock: LogLock;
  readonly #publisher: Publisher;
  #waiting: Waiting[] = [];
  #working: Promise<void> | null = null;
  /** Null where what is known may be behind the files. */
  #tree: GrowingTree | null = null;
  #held: AsyncDisposable | null = null;
  /** When somebody was last looked for who waits for the lock. */
  #lookedMs = 0;
  #lastUsedMs = 0;
  #lingering: NodeJS.Timeout | null = null;

  constructor(directory: LogDirectory, origin: string, keys: LogKeys, lock: LogLock) {
    this.#directory = directory;
    this.#entries = directory.entries();
    this.#publisher = new Publisher(directory, this.#entries, origin, keys);
    this.#lock = lock;
  }

  /** Resolves once the lines are durable, with their numbers. */
  append(lines: readonly Buffer[]): Promise<number[]> {
    return new Promise<number[]>((resolve, reject) => {
      this.#waiting.push({ lines, resolve, reject });
      if (this.#working === null) this.#start(() => this.#work());
    });
  }

  /** Writes all tiles and the signed checkpoint of the log as it is now. */
  async publish(): Promise<{ checkpoint: Checkpoint; note: string }> {
    return await this.#alone(async () => {
      await this.#hold();
      try {
        return await this.#publisher.publish(this.#tree!);
      } catch (error) {
        this.#tree = null;
        throw error;
      } finally {
        await this.#letGo();
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#alone(() => this.#letGo());
  }

  /** Work that appending waits for. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.#working) await this.#working;
    const done = work();
    this.#start(async () => void (await done.catch(() => undefined)));
    return await done;
  }

  #start(work: () => Promise<void>): void {
    const working = work().finally(() => {
      if (this.#working === working) this.#working = null;
      if (this.#waiting.length > 0 && this.#working === null) this.#start(() => this.#work());
    });
    this.#working = working;
  }

  async #work(): Promise<void> {
    try {
      if (this.#held === null) await this.#hold();
      while (this.#waiting.length > 0) {
        const { length } = this.#waiting;
        await this.#group();
        // Those who were told that theirs is durable may append the next at once: together, if they get the time for it.
        if (length > 1) await immediately();
        if (await this.#isOthersTurn()) {
          await this.#letGo();
          await sleep(2 * LOCK_POLL_MS);
          return;
        }
      }
      this.#linger();
    } catch (error) {
      this.#tree = null;
      for (const { reject } of this.#waiting.splice(0)) reject(error);
      await this.#letGo();
    }
  }

  /** One sync for all who wait, as far as the same file takes them. */
  async #group(): Promise<void> {
    const tree = this.#tree!;
    const first = tree.size;
    const room = ENTRIES_PER_FILE - (first % ENTRIES_PER_FILE);
    const lines: Buffer[] = [];
    let count = 0;
    for (const waiting of this.#waiting) {
      if (count > 0 && lines.length + waiting.lines.length > room) break;
      for (const line of waiting.lines) lines.push(line);
      count++;
    }
    const group = this.#waiting.splice(0, count);
    try {
      await this.#entries.append(first, lines, () => this.#grow(tree, lines));
    } catch (error) {
      // How much of it is in the file is not known: what is whole there is read again.
      for (const { reject } of group) reject(error);
      throw error;
    }
    let number = first;
    for (const { lines: own, resolve } of group) resolve(own.map(() => number++));
    const tooMany = this.#publisher.relieve();
    if (tooMany) await tooMany;
  }

  #grow(tree: GrowingTree, lines: readonly Buffer[]): void {
    for (const line of lines) tree.append(leafHash(line), this.#publisher.filled);
  }

  /** Gives the lock back when nothing was appended for a while. */
  #linger(): void {
    this.#lastUsedMs = performance.now();
    this.#lingering ??= setTimeout(() => {
      this.#lingering = null;
      if (this.#working || this.#held === null) return;
      if (performance.now() - this.#lastUsedMs < LINGER_MS) this.#linger();
      else this.#start(() => this.#letGo());
    }, LINGER_MS);
  }

  async #isOthersTurn(): Promise<boolean> {
    const now = performance.now();
    if (now - this.#lookedMs < TURN_MS) return false;
    this.#lookedMs = now;
    return await this.#directory.takeAsked();
  }

  /** Takes the lock and reads what others appended while this process did not hold it. */
  async #hold(): Promise<void> {
    if (this.#held) return;
    this.#held = await this.#take();
    this.#lookedMs = performance.now();
    try {
      this.#tree ??= await this.#publisher.tree();
      for await (const { bytes } of this.#entries.read(this.#tree.size)) this.#grow(this.#tree, [bytes]);
    } catch (error) {
      this.#tree = null;
      await this.#letGo();
      throw error;
    }
  }

  async #letGo(): Promise<void> {
    if (this.#lingering) clearTimeout(this.#lingering);
    this.#lingering = null;
    const held = this.#held;
    this.#held = null;
    // The next holder may go on in the same file.
    this.#entries.close();
    await this.#publisher.settled();
    await held?.[Symbol.asyncDispose]();
  }

  async #take(): Promise<AsyncDisposable> {
    const begun = performance.now();
    for (;;) {
      try {
        return await this.#lock.take();
      } catch (error) {
        const held = error instanceof XcError && error.code === 'XC-7002';
        if (!held || performance.now() - begun > LOCK_WAIT_MS) throw error;
        await this.#directory.ask();
        await sleep(LOCK_POLL_MS);
      }
    }
  }
}
