/** Snapshots that are begun and not finished: found again by what was asked for. */

import { Buffer } from 'node:buffer';
import type { ObjectStore } from '../../core/objects/object-store.ts';
import { begunKey, begunSchema, idOfBegun, type Begun } from '../../core/snapshot/begun.ts';
import { BEGUN, begunOf, manifestKey } from '../../core/snapshot/manifest.ts';
import type { Cuts } from '../../core/snapshot/part-layout.ts';
import { once } from '../../core/snapshot/send-parts.ts';
import { isoTime } from '../../core/time/clock.ts';
import type { Host } from '../frame/host.ts';

/** The request's lock is held, so that nobody else goes on with it. */
export const beginOrGoOn = async (
  host: Host,
  store: ObjectStore,
  request: string,
  cuts: () => Cuts,
): Promise<Begun> => {
  const open = (await listBegun(store)).filter((one) => one.request === request);
  for (const begun of open.toReversed()) {
    if ((await store.head(manifestKey(begun.id))) === null) {
      host.narrator.info(`going on with snapshot ${begun.id}, begun at ${begun.startedAt}`);
      return begun;
    }
    // Killed between its manifest and the end.
    await forgetBegun(store, begun.id);
  }
  const nowMs = host.clock.nowMs();
  const { ulid } = await import('ulid');
  const begun: Begun = {
    schemaVersion: 1,
    id: `sn_${ulid(nowMs, () => host.random.next())}`,
    request,
    startedAt: isoTime(nowMs),
    cuts: cuts(),
  };
  await store.write(begunKey(begun.id), once(Buffer.from(JSON.stringify(begun))));
  return begun;
};

/** In the order in which they were begun. */
export const listBegun = async (store: ObjectStore): Promise<Begun[]> => {
  const found: Begun[] = [];
  for await (const { key } of store.list(BEGUN)) {
    if (idOfBegun(key) === null) continue;
    const pieces: Uint8Array[] = [];
    for await (const piece of store.read(key)) pieces.push(piece);
    const parsed = begunSchema.safeParse(JSON.parse(Buffer.concat(pieces).toString()));
    if (parsed.success) found.push(parsed.data);
  }
  return found;
};

/** What says that it is begun goes last: cut short, this is done again. */
export const forgetBegun = async (store: ObjectStore, id: string): Promise<void> => {
  const keys: string[] = [];
  for await (const { key } of store.list(begunOf(id))) keys.push(key);
  for (const key of keys.filter((each) => each !== begunKey(id))) await store.remove(key);
  await store.remove(begunKey(id));
};
