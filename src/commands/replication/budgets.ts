/** Budgets of a run: what each engine is paced by, and the sessions that count a day's bytes in the targets. */

import type { Client } from 'pg';
import type { Pace } from '../../core/replication/pace.ts';
import {
  budgetPace,
  measuredLatencies,
  settle,
  type Purses,
  type Spender,
} from '../../core/replication/budget-pace.ts';
import type { EngineProgress } from '../../core/replication/engine.ts';
import type { ReplicationFacts } from '../../core/plan/facts.ts';
import type { BudgetFact } from '../../core/policy/gates/budgets.ts';
import { isoTime } from '../../core/time/clock.ts';
import type { Stream } from '../../core/topology/link.ts';
import { connect, disconnect } from '../../providers/postgres/connect.ts';
import { dayCounts, readDay } from '../../providers/postgres/day-counts.ts';
import type { Host } from '../frame/host.ts';
import type { Selected } from './selection.ts';

/** A stream, or anything else whose bytes are counted in the target's database. */
type Spending = Pick<Stream, 'key' | 'target'> & { readonly links: readonly Spender[] };

export interface RunBudgets extends AsyncDisposable {
  /** Null where no budget is about the stream. */
  paceOf(stream: Spending, progress: Pick<EngineProgress, 'waiting'>): Pace | null;
  /** How late a transaction was that the stream applied. */
  applied(stream: Stream, lagMs: number): void;
  /** Of the run so far. */
  latencies(): readonly BudgetFact[];
}

export const openBudgets = (host: Host, { loaded, dsns }: Pick<Selected, 'loaded' | 'dsns'>): RunBudgets => {
  const sessions = new Map<string, Client>();
  const purses: Purses = new Map();
  const paces = new Map<string, Pace>();
  const told = new Set<string>();
  const close = async (key: string): Promise<void> => {
    const client = sessions.get(key);
    sessions.delete(key);
    if (client) await disconnect(client);
  };
  const onTarget = async <T>({ target }: Spending, work: (client: Client) => Promise<T>): Promise<T> => {
    const key = `${target.region}/${target.database}`;
    const attempt = async (): Promise<T> => {
      const client = sessions.get(key) ?? (await openTarget(host, dsns, target));
      sessions.set(key, client);
      try {
        return await work(client);
      } catch (error) {
        await close(key);
        throw error;
      }
    };
    // A session that broke while it was idle is made anew; a server that is gone says so when that is tried.
    return await attempt().catch(attempt);
  };
  return {
    paceOf(stream, progress) {
      const pace = budgetPace(
        stream.links,
        loaded.config.budgets,
        {
          clock: host.clock,
          counts: {
            add: (...counted) => onTarget(stream, (client) => dayCounts(client).add(...counted)),
          },
          waiting: (error) => {
            progress.waiting?.(error);
            if (told.has(error.message)) return;
            told.add(error.message);
            host.narrator.warn(`${error.code} ${error.message}`);
          },
          late: (error) => host.narrator.warn(`${error.code} ${error.message}`),
        },
        purses,
      );
      if (pace) paces.set(stream.key, pace);
      return pace;
    },
    applied: (stream, lagMs) => paces.get(stream.key)?.applied?.(lagMs),
    latencies: () => measuredLatencies(purses),
    async [Symbol.asyncDispose]() {
      // What is not counted yet would be free for the next run. A target that is gone counts nothing any more.
      await settle(purses).catch((error: unknown) => host.narrator.warn(String(error)));
      await Promise.all([...sessions.keys()].map(close));
    },
  };
};

const openTarget = (host: Host, dsns: Selected['dsns'], { region, database }: Stream['target']) =>
  connect(dsns.get(region) ?? '', { subject: region, database, signal: host.signal });

/** What was used of today's bytes, among the facts: asked only where a budget of a day is about some link. */
export const withDayCounts = async (
  host: Host,
  { loaded, dsns }: Pick<Selected, 'loaded' | 'dsns'>,
  facts: ReplicationFacts,
): Promise<ReplicationFacts> => {
  const daily = loaded.config.budgets.filter(({ bytesPerDay }) => bytesPerDay !== undefined);
  const day = isoTime(host.clock.nowMs()).slice(0, 10);
  const streams = await Promise.all(
    facts.streams.map(async (one) => {
      const { source, target } = one.stream;
      if (!daily.some(({ from, to }) => from === source.region && to === target.region)) return one;
      const client = await openTarget(host, dsns, target);
      try {
        const usedToday = await readDay(client, day);
        return usedToday ? { ...one, target: { ...one.target, usedToday } } : one;
      } finally {
        await disconnect(client);
      }
    }),
  );
  return { ...facts, streams };
};
