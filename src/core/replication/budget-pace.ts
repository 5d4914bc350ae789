/**
 * Budgets in the data path: bytes per second by a token bucket, bytes per day by what the target's database counts over
 * all runs, jobs side by side, and latency. Over budget is slower, then paused with a reason; nothing is dropped. What is
 * late for its budget begins no further job (a chunk of a copy): its copies take the place of its stream otherwise.
 */

import type { Config } from '../config/schema.ts';
import { XcError } from '../errors/xc-error.ts';
import { LagHistogram } from '../metrics/lag-histogram.ts';
import type { BudgetFact } from '../policy/gates/budgets.ts';
import { TokenBucket } from '../policy/token-bucket.ts';
import { isoTime, type Clock } from '../time/clock.ts';
import type { Link, LinkId } from '../topology/link.ts';
import type { Pace } from './pace.ts';

export type Budget = Config['budgets'][number];

/** Counts of bytes by tenant and source, kept with the rows: a day's budget holds over runs and hosts. */
export interface DayCounts {
  /** Adds to the count of a day ("2026-01-31", UTC). @returns what all runs used of it together */
  add(tenant: string, source: string, day: string, bytes: number): Promise<number>;
}

export interface BudgetPorts {
  readonly clock: Clock;
  readonly counts: DayCounts;
  /** Told when a tenant is paused; the next bytes end it. */
  waiting(error: XcError): void;
  /** Told when a tenant begins to be late for its budget. */
  late?(error: XcError): void;
}

/** Bytes of a day that are not in the database yet: what a killed run may have sent uncounted. */
const COUNT_BYTES = 4 * 2 ** 20;
const COUNT_MS = 5_000;
const DAY_MS = 24 * 3_600_000;
/** How often a paused tenant looks whether another day has begun, or its count was corrected. */
const LOOK_MS = 30_000;
const JOB_MS = 100;
/** A stream that applied nothing for as long is not late: nothing waits there. */
const LATE_FOR_MS = 5_000;

/** Whatever sends a tenant's bytes from one region to another. */
export type Spender = Pick<Link, 'id' | 'tenant' | 'source' | 'target'>;

/** What tenants have between regions, shared by all streams of a run. */
export type Purses = Map<string, Purse>;

/** Null where no budget is about these links. */
export const budgetPace = (
  links: readonly Spender[],
  budgets: readonly Budget[],
  ports: BudgetPorts,
  purses: Purses = new Map(),
): Pace | null => {
  const byLink = new Map<LinkId, Purse>();
  for (const { id, tenant, source, target } of links) {
    const budget = budgets.find((one) => one.tenant === tenant && one.from === source && one.to === target);
    if (!budget) continue;
    const key = JSON.stringify([tenant, source, target]);
    const purse = purses.get(key) ?? new Purse(budget, ports);
    purses.set(key, purse);
    byLink.set(id, purse);
  }
  if (byLink.size === 0) return null;
  return {
    applied(lagMs) {
      for (const purse of new Set(byLink.values())) purse.applied(lagMs);
    },
    spend: (link, bytes, signal) => byLink.get(link)?.spend(bytes, signal) ?? null,
    async job(of, signal) {
      const held: Purse[] = [];
      const release = (): void => {
        for (const purse of held.splice(0)) purse.leave();
      };
      try {
        // In one order, so that two jobs never wait for each other.
        for (const purse of [...purses.values()].filter((one) =>
          of.some((link) => byLink.get(link) === one),
        )) {
          await purse.enter(signal);
          held.push(purse);
        }
      } catch (error) {
        release();
        throw error;
      }
      return { [Symbol.dispose]: release };
    },
  };
};

/** Counts what was sent since the last count: at the end of a run, which may be minutes before the next one begins. */
export const settle = async (purses: Purses): Promise<void> => {
  for (const purse of purses.values()) await purse.settle();
};

/** What was measured of those whose budget names a latency. */
export const measuredLatencies = (purses: Purses): BudgetFact[] =>
  [...purses.values()].flatMap((purse) => purse.latency() ?? []);

/** What one tenant has between two regions. */
class Purse {
  readonly #budget: Budget;
  readonly #ports: BudgetPorts;
  readonly #bucket: TokenBucket | null;
  #jobs = 0;
  /** Used of `#day` by all runs, as the database said last, and since then by this one. */
  #used: number | null = null;
  #uncounted = 0;
  #day = '';
  #countedMs = -Infinity;
  #counting: Promise<void> | null = null;
  readonly #lag = new LagHistogram();
  #late = false;
  #appliedMs = -Infinity;

  constructor(budget: Budget, ports: BudgetPorts) {
    this.#budget = budget;
    this.#ports = ports;
    this.#bucket =
      budget.bytesPerSecond === undefined
        ? null
        : new TokenBucket(budget.bytesPerSecond, ports.clock.nowMs());
  }

  spend(bytes: number, signal: AbortSignal): Promise<void> | null {
    const nowMs = this.#ports.clock.nowMs();
    const waitMs = this.#bucket?.spend(bytes, nowMs) ?? 0;
    const { bytesPerDay } = this.#budget;
    if (bytesPerDay === undefined) return waitMs === 0 ? null : this.#ports.clock.sleep(waitMs, signal);
    this.#uncounted += bytes;
    const due =
      this.#used === null ||
      this.#uncounted >= COUNT_BYTES ||
      nowMs - this.#countedMs >= COUNT_MS ||
      this.#used + this.#uncounted >= bytesPerDay;
    if (!due && waitMs === 0) return null;
    return this.#wait(waitMs, due, bytesPerDay, signal);
  }

  async #wait(waitMs: number, due: boolean, bytesPerDay: number, signal: AbortSignal): Promise<void> {
    if (waitMs > 0) await this.#ports.clock.sleep(waitMs, signal);
    if (!due) return;
    await this.#count();
    while ((this.#used ?? 0) >= bytesPerDay) {
      const nowMs = this.#ports.clock.nowMs();
      const nextDayMs = (Math.floor(nowMs / DAY_MS) + 1) * DAY_MS;
      const { tenant, from, to } = this.#budget;
      this.#ports.waiting(
        new XcError('XC-2037', {
          subject: `${tenant} from ${from} to ${to}`,
          why: `${this.#used} of ${bytesPerDay} bytes of ${this.#day} are used; it goes on at ${isoTime(nextDayMs)}`,
        }),
      );
      await this.#ports.clock.sleep(Math.min(LOOK_MS, nextDayMs - nowMs), signal);
      await this.#count();
    }
  }

  async settle(): Promise<void> {
    if (this.#budget.bytesPerDay === undefined) return;
    await this.#counting;
    if (this.#uncounted > 0) await this.#count();
  }

  /** One at a time: workers that copy side by side share a purse. */
  async #count(): Promise<void> {
    await (this.#counting ??= this.#countNow().finally(() => (this.#counting = null)));
  }

  async #countNow(): Promise<void> {
    const { clock, counts } = this.#ports;
    const bytes = this.#uncounted;
    this.#uncounted = 0;
    this.#day = isoTime(clock.nowMs()).slice(0, 10);
    this.#countedMs = clock.nowMs();
    try {
      this.#used = await counts.add(this.#budget.tenant, this.#budget.from, this.#day, bytes);
    } catch (error) {
      this.#uncounted += bytes;
      throw error;
    }
  }

  async enter(signal: AbortSignal): Promise<void> {
    const most = this.#budget.concurrentJobs ?? Infinity;
    while (this.#jobs >= most || this.#isLate()) await this.#ports.clock.sleep(JOB_MS, signal);
    this.#jobs++;
  }

  applied(lagMs: number): void {
    const { maxLatency, tenant, from, to } = this.#budget;
    if (maxLatency === undefined) return;
    this.#lag.add(lagMs);
    this.#appliedMs = this.#ports.clock.nowMs();
    const late = lagMs > maxLatency;
    if (late && !this.#late)
      this.#ports.late?.(
        new XcError('XC-2061', {
          subject: `${tenant} from ${from} to ${to}`,
          why: `${Math.round(lagMs)} ms late, ${maxLatency} ms are allowed; its copies wait`,
        }),
      );
    this.#late = late;
  }

  #isLate(): boolean {
    return this.#late && this.#ports.clock.nowMs() - this.#appliedMs < LATE_FOR_MS;
  }

  /** The 99th percentile of this run; null where nothing is asked for or nothing was measured. */
  latency(): BudgetFact | null {
    const { maxLatency, tenant, from, to } = this.#budget;
    const measured = this.#lag.quantiles();
    if (maxLatency === undefined || !measured) return null;
    return { tenant, from, to, maxLatencyMs: maxLatency, latencyMs: measured.p99 };
  }

  leave(): void {
    this.#jobs--;
  }
}
