/**
 * How fast a receiver works off what waits: both are held while the application writes, then each goes on alone, and
 * what is measured is the time until the last row is visible at its target.
 */

import type { TestDatabase } from '../../test/harness/test-database.ts';
import { costsOf, spent, type Costs } from './process-cost.ts';
import { hold, until, type Receiver } from './receiver.ts';
import { mark, sees } from './workload.ts';

/** Sent as far as the sockets take it: the sender's position did not move for this long. */
const SETTLED_MS = 40;

export interface Waiting {
  readonly receiver: Receiver;
  readonly marker: number;
  readonly release: () => void;
}

export interface Drained {
  readonly seconds: number;
  readonly cpu: Costs;
}

/** Holds the receivers, writes, and waits until nothing moves any more. @param work is done once for each source */
export const writeHeld = async (
  receivers: readonly Receiver[],
  work: (source: TestDatabase) => Promise<void>,
): Promise<Waiting[]> => {
  const releases: (() => void)[] = [];
  for (const receiver of receivers) releases.push(await hold(receiver));
  const markers = new Map<TestDatabase, number>();
  for (const source of new Set(receivers.map((receiver) => receiver.source))) {
    await work(source);
    markers.set(source, await mark(source));
  }
  for (const receiver of receivers) await settle(receiver.source);
  for (const database of new Set(receivers.flatMap(({ source, target }) => [source, target])))
    await database.query('CHECKPOINT');
  return receivers.map((receiver, at) => ({
    receiver,
    marker: markers.get(receiver.source)!,
    release: releases[at]!,
  }));
};

const settle = async (source: TestDatabase): Promise<void> => {
  const sent = async (): Promise<string> => {
    const rows = await source.query<{ sent: string }>(
      'SELECT sent_lsn::text AS sent FROM pg_stat_replication ORDER BY pid',
    );
    return rows.map((row) => row.sent).join(' ');
  };
  let last = '';
  await until(
    'senders that wait',
    async () => {
      const now = await sent();
      const settled = now === last;
      last = now;
      return settled;
    },
    SETTLED_MS,
  );
};

export const drain = async ({ receiver, marker, release }: Waiting): Promise<Drained> => {
  const processes = await receiver.processes();
  const before = await costsOf(processes);
  const startedMs = performance.now();
  release();
  await until('the last row', () => sees(receiver.target, marker));
  const seconds = (performance.now() - startedMs) / 1000;
  return { seconds, cpu: spent(before, await costsOf(processes)) };
};

/** Lets them work off what waits, unmeasured. */
export const catchUp = async (receivers: readonly Receiver[]): Promise<void> => {
  for (const receiver of receivers) {
    const marker = await mark(receiver.source);
    await until('the last row', () => sees(receiver.target, marker));
  }
};
