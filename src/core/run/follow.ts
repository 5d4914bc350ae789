/**
 * `run --follow` for one stream, once its plan is done: the main slot streams without end, while links come and go. What
 * a joining link needs (its slot, copy and catching up) runs beside the main stream; only what changes the set of links
 * that the main stream carries waits until it stands at a batch boundary.
 */

import type { FollowPorts } from './follow-ports.ts';
import type { Clock } from '../time/clock.ts';
import type { StreamKey } from '../topology/link.ts';
import { Joins } from './joins.ts';
import type { JournalError } from './journal.ts';
import { MainStream } from './main-stream.ts';

export interface FollowEnd {
  /** Why the newest change of links could not be carried out; the next run takes it up. */
  readonly error: JournalError | null;
  /** True when the last link was dropped, and the stream with it. */
  readonly emptied: boolean;
}

/** How soon a change is noticed: "within seconds". */
export const WATCH_EVERY_MS = 2_000;

/**
 * Resolves when the signal aborts (in good order), or the stream has no link left.
 * @throws whatever ends the main stream
 */
export const follow = async (
  stream: StreamKey,
  ports: FollowPorts,
  signal: AbortSignal,
): Promise<FollowEnd> => {
  const main = new MainStream(stream, ports, signal);
  const over = new AbortController();
  const joins = new Joins(stream, ports, main, AbortSignal.any([signal, over.signal]));
  main.start();
  try {
    for (;;) {
      await Promise.race([pause(ports.clock, signal), main.failure]);
      if (signal.aborted) break;
      if (await Promise.race([joins.look(), main.failure])) return { error: joins.error, emptied: true };
    }
    return { error: joins.error, emptied: false };
  } finally {
    over.abort(new DOMException('the run ends', 'AbortError'));
    await joins.settle();
    await main.stop();
  }
};

const pause = async (clock: Clock, signal: AbortSignal): Promise<void> => {
  try {
    await clock.sleep(WATCH_EVERY_MS, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
};
