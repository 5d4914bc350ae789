/** What slows the data path down (gate P6): asked for every few bytes, so the answer is mostly that it may go on. */

import type { LinkId } from '../topology/link.ts';

export interface Pace {
  /**
   * Counts bytes that a link sends.
   * @returns null where it may go on at once; else resolves when it may, and rejects when the signal aborts
   */
  spend(link: LinkId, bytes: number, signal: AbortSignal): Promise<void> | null;
  /** How late a transaction was that these links' stream applied: whoever is over budget begins no further job until it is not. */
  applied?(lagMs: number): void;
  /** Resolves when these links may begin another job side by side; disposing of it ends the job. */
  job(links: readonly LinkId[], signal: AbortSignal): Promise<Disposable>;
}
