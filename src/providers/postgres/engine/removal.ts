/** Takes links and whole streams away again, and says what was removed. Rows on the target stay. */

import {
  insertOnlyPublicationName,
  publicationName,
  slotName,
  streamOfSlot,
  type LinkId,
  type StreamKey,
} from '../../../core/topology/link.ts';
import type { EngineParts } from './parts.ts';
import { publish } from './publications.ts';
import { dropOrigin, dropSlot, heldLog } from './slots.ts';

/** Removes the link and, with the last one, everything of its stream. */
export const dropLink = async (parts: EngineParts, link: LinkId): Promise<string[]> => {
  const { store } = parts;
  const removed: string[] = [];
  const before = await store.links();
  const slot = before.find((one) => one.link === link)?.slot;
  if (await store.deleteLink(link)) removed.push(`link ${link}`);
  const left = before.filter((one) => one.link !== link);
  if (slot !== undefined && slot !== store.mainSlot && !left.some((one) => one.slot === slot))
    removed.push(...(await dropSlotAndOrigin(parts, slot)));
  removed.push(...(await dropEmptySlots(parts)));
  if (left.length === 0) removed.push(...(await dropStream(parts)));
  else if (left.every(({ off }) => off)) removed.push(...(await emptyStream(parts)));
  return removed;
};

/**
 * Slots of their own that links left behind which were taken off. One that is still being read stays until the next run.
 * @returns what was removed
 */
export const dropEmptySlots = async (parts: EngineParts): Promise<string[]> => {
  const removed: string[] = [];
  const gone: string[] = [];
  for (const slot of await parts.store.emptySlots()) {
    if ((await heldLog(await parts.control.source(), slot)).state === 'read') continue;
    removed.push(...(await dropSlotAndOrigin(parts, slot)));
    gone.push(slot);
  }
  if (gone.length > 0) await parts.store.forgetSlots(gone);
  return removed;
};

/** Of a stream that links have left; this one's own are left alone. */
export const dropPublications = async ({ control, options }: EngineParts, of: StreamKey): Promise<void> => {
  if (of === options.stream.key) return;
  for (const name of [publicationName(of), insertOnlyPublicationName(of)])
    await publish(await control.source(), name, 'insert', []);
};

/**
 * Streams of links of this one that were dedicated, or were about to be, and that nobody is on any more: what a run left that
 * was killed while links changed their stream.
 */
export const dropFormerStreams = async (parts: EngineParts): Promise<void> => {
  const { store, options, control } = parts;
  const configured = new Set(options.stream.links.filter(({ rule }) => !rule.dedicated).map(({ id }) => id));
  const keys = [...(options.stream.otherKeys ?? [])].flatMap(([link, key]) =>
    configured.has(link) ? [key] : [],
  );
  const source = await control.source();
  const { rows } = await source.query<{ name: string }>(
    `SELECT slot_name::text AS name FROM pg_replication_slots WHERE slot_name = ANY ($1) AND database = current_database()
      UNION SELECT pubname FROM pg_publication WHERE pubname = ANY ($1)`,
    [keys.map(slotName)],
  );
  for (const { name } of rows) {
    if (!(await store.forgetStream(streamOfSlot(name, '')))) continue;
    if ((await heldLog(source, name)).state === 'read') continue;
    await dropSlotAndOrigin(parts, name);
    await dropPublications(parts, streamOfSlot(name, ''));
  }
};

/** Slots, origins, publications, and the stream's rows in the schema xcrepl. */
export const dropStream = async (parts: EngineParts): Promise<string[]> => {
  const removed = await dropObjects(parts);
  await parts.store.deleteStream();
  return removed;
};

/** What is left when every link is off the stream: nothing is kept for anybody. The marks that they were stopped stay. */
export const emptyStream = async (parts: EngineParts): Promise<string[]> => {
  const removed = await dropObjects(parts);
  await parts.store.forgetSlots(await parts.store.slots());
  return removed;
};

const dropObjects = async (parts: EngineParts): Promise<string[]> => {
  const { store, control, options } = parts;
  const { key, source: place } = options.stream;
  const removed: string[] = [];
  for (const slot of new Set([store.mainSlot, ...(await store.slots())]))
    removed.push(...(await dropSlotAndOrigin(parts, slot)));
  const source = await control.source();
  for (const name of [publicationName(key), insertOnlyPublicationName(key)]) {
    const { rowCount } = await source.query('SELECT FROM pg_publication WHERE pubname = $1', [name]);
    if (!rowCount) continue;
    await publish(source, name, 'insert', []);
    removed.push(`publication ${name} on ${place.region}`);
  }
  return removed;
};

const dropSlotAndOrigin = async ({ control, options }: EngineParts, slot: string): Promise<string[]> => {
  const { source, target } = options.stream;
  const removed: string[] = [];
  if (await dropSlot(await control.source(), slot)) removed.push(`slot ${slot} on ${source.region}`);
  if (await dropOrigin(await control.reader(), slot)) removed.push(`origin ${slot} on ${target.region}`);
  return removed;
};
