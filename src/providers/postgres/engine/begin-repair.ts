/**
 * The beginning of a repair: a new slot in place of one that lost changes, and its links begin again from its snapshot,
 * with the rows that they have. Called again after a crash it begins once more, with another slot: nothing was read yet.
 */

import type { Lsn } from '../../../core/change/lsn.ts';
import type { CreateSlot } from '../../../core/plan/plan.ts';
import { readIdentity } from '../identity.ts';
import type { Copies } from './copies.ts';
import { linksNamed, readSides, throughOutages, type EngineParts } from './parts.ts';
import { dropEmptySlots } from './removal.ts';
import { createSlot, dropOrigin, dropSlot } from './slots.ts';

export const beginRepair = async (
  parts: EngineParts,
  copies: Copies,
  { slot, links: names, failover }: CreateSlot,
): Promise<{ slot: string; position: Lsn }> => {
  const { control, store, sessions, options } = parts;
  const links = linksNamed(parts, names);
  const sides = await readSides(parts, links, { meant: 'published' });
  const source = await control.source();
  const identity = await readIdentity(source, options.stream.source.region, () => sessions.walsender());
  // A session of a killed run may hold slot or origin for a while yet. The origin remembers positions of what is given up.
  await throughOutages(parts, { endless: false, signal: options.signal }, async () => {
    await dropSlot(source, slot);
    await dropOrigin(await control.reader(), slot);
  });
  const { position, snapshot } = await createSlot(sessions, slot, failover, identity.version);
  await store.beginCopy(slot, position, links, sides, identity);
  await dropEmptySlots(parts);
  await copies.begin(slot, snapshot);
  return { slot, position };
};
