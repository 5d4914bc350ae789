/** How every provider asks its server: what goes wrong is explained in our words, and asked again where that helps. */

import { type Patience, retried } from './patience.ts';

export interface Requests {
  readonly patience: Patience;
  /** `settled`: see `retried`. */
  readonly told: <T>(key: string, work: () => Promise<T>, settled?: () => Promise<T | null>) => Promise<T>;
  readonly explained: (error: unknown, key: string) => unknown;
}

/** What a provider makes of its SDK's errors and of its server's answers; what is no such thing it returns as it is. */
export type Explain = (error: unknown, place: string, key: string, nowMs: number) => unknown;

export const requestsOf = (place: string, patience: Patience, explain: Explain): Requests => {
  const explained = (error: unknown, key: string): unknown =>
    explain(error, place, key, patience.clock.nowMs());
  const asked = async <T>(key: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw explained(error, key);
    }
  };
  return {
    patience,
    explained,
    told: async (key, work, settled) => await retried(async () => await asked(key, work), patience, settled),
  };
};
