/** Bytes per day of a tenant's budget, in the target store: for regions that have objects and no database. */

import * as z from 'zod/mini';
import type { ObjectStore } from '../objects/object-store.ts';
import { behaviourOf } from '../objects/store-errors.ts';
import type { DayCounts } from '../replication/budget-pace.ts';
import { OWN_PREFIX } from './entry.ts';

const schema = z.strictObject({ schemaVersion: z.literal(1), day: z.string(), bytes: z.number() });

/** Many hosts that count at once meet here; more often than this in a row is no chance any more. */
const TRIES = 20;

export const storeDayCounts = (store: ObjectStore): DayCounts => ({
  async add(tenant, source, day, bytes) {
    const key = `${OWN_PREFIX}budgets/${tenant}/${source}.json`;
    for (let round = 1; ; round += 1) {
      const seen = await store.head(key);
      try {
        const before = seen === null ? 0 : await bytesOf(store, key, seen.version, day);
        const total = before + bytes;
        await store.write(key, body({ schemaVersion: 1, day, bytes: total }), {
          when: seen === null ? { kind: 'absent' } : { kind: 'version', version: seen.version },
        });
        return total;
      } catch (error) {
        const met = behaviourOf(error) === 'precondition' || behaviourOf(error) === 'gone';
        if (!met || round === TRIES) throw error;
      }
    }
  },
});

const bytesOf = async (store: ObjectStore, key: string, version: string, day: string): Promise<number> => {
  let text = '';
  const decoder = new TextDecoder();
  for await (const piece of store.read(key, { version })) text += decoder.decode(piece, { stream: true });
  const counted = schema.parse(JSON.parse(text));
  return counted.day === day ? counted.bytes : 0;
};

const body = async function* (value: object): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(JSON.stringify(value));
};
