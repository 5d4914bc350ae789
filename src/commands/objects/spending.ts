/** What slows a mirror down: --bwlimit, and the tenant's budget (P6), over every byte that leaves the source. */

import type { LoadedConfig } from '../../core/config/loaded.ts';
import { storeDayCounts } from '../../core/mirror/day-counts.ts';
import type { MirrorWish } from '../../core/mirror/places.ts';
import type { ObjectStore } from '../../core/objects/object-store.ts';
import { TokenBucket } from '../../core/policy/token-bucket.ts';
import { budgetPace, settle, type Purses } from '../../core/replication/budget-pace.ts';
import type { Pace } from '../../core/replication/pace.ts';
import type { Host } from '../frame/host.ts';

export interface MirrorSpending extends AsyncDisposable {
  readonly pace: (bytes: number) => Promise<void> | null;
  /** Resolves when the budget allows one more job; held until it is disposed of. */
  job(): Promise<Disposable>;
}

export interface SpendingParts {
  readonly loaded: LoadedConfig;
  readonly wish: MirrorWish;
  readonly target: ObjectStore;
  /** --bwlimit; bytes per second. */
  readonly bytesPerSecond: number | undefined;
  readonly signal: AbortSignal;
}

export const openMirrorSpending = async (host: Host, parts: SpendingParts): Promise<MirrorSpending> => {
  const { wish, bytesPerSecond, signal } = parts;
  const { clock } = host;
  const bucket = bytesPerSecond === undefined ? null : new TokenBucket(bytesPerSecond, clock.nowMs());
  const budget = await openBudget(host, parts);
  const held: Disposable = { [Symbol.dispose]: () => undefined };
  return {
    pace(bytes) {
      const waitMs = bucket?.spend(bytes, clock.nowMs()) ?? 0;
      const wait = budget.pace?.spend(wish.id, bytes, signal) ?? null;
      if (waitMs === 0) return wait;
      const slept = clock.sleep(waitMs, signal);
      return wait === null ? slept : Promise.all([slept, wait]).then(() => undefined);
    },
    job: async () => (await budget.pace?.job([wish.id], signal)) ?? held,
    [Symbol.asyncDispose]: async () => await budget[Symbol.asyncDispose](),
  };
};

const nothingToClose = (): Promise<void> => Promise.resolve();

/** Counted in the target's database where it has one, beside the rows' bytes; else in its store. */
const openBudget = async (
  host: Host,
  { loaded, wish, target }: SpendingParts,
): Promise<{ readonly pace: Pace | null } & AsyncDisposable> => {
  const { tenant } = wish;
  const ends = { source: wish.source.region, target: wish.target.region };
  const isLimited = loaded.config.budgets.some(
    (one) => one.tenant === tenant && one.from === ends.source && one.to === ends.target,
  );
  if (tenant === null || !isLimited) return { pace: null, [Symbol.asyncDispose]: nothingToClose };
  const links = [{ id: wish.id, tenant, ...ends }];
  if (!loaded.config.regions[ends.target]?.postgres) {
    const waiting = (error: Error): void => host.narrator.warn(error.message);
    const ports = { clock: host.clock, counts: storeDayCounts(target), waiting };
    const purses: Purses = new Map();
    return {
      pace: budgetPace(links, loaded.config.budgets, ports, purses),
      // What is not counted yet would be free for the next run.
      [Symbol.asyncDispose]: async () => await settle(purses),
    };
  }
  const { openBudgets } = await import('../replication/budgets.ts');
  const { regionDsns } = await import('../replication/selection.ts');
  const { parseDsn } = await import('../../providers/postgres/dsn.ts');
  const dsns = await regionDsns(host, loaded, [ends.target]);
  const scope = loaded.config.tenants[tenant]?.scope;
  const database =
    scope?.kind === 'database' ? scope.database : parseDsn(dsns.get(ends.target) ?? '', ends.target).database;
  const budgets = openBudgets(host, { loaded, dsns });
  return {
    pace: budgets.paceOf({ key: wish.id, target: { region: ends.target, database }, links }, {}),
    [Symbol.asyncDispose]: async () => await budgets[Symbol.asyncDispose](),
  };
};
