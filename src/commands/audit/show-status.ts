/** What there is of the log, and how much of it lies elsewhere too. */

import { parseEntry } from '../../core/audit/entry.ts';
import { opened } from '../../core/audit/proof.ts';
import { readLog } from '../../providers/audit-files/open-log.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { askAnchors } from './anchors.ts';
import { findLog, type KnownLog } from './open.ts';

export const auditStatus = async (host: Host): Promise<Outcome> => {
  const known = await findLog(host);
  if (!known)
    return {
      document: { schemaVersion: 1, log: null, entries: 0 },
      table: () => 'no log here yet: the first command that changes something begins it',
    };
  const { entries, signed, unanchored } = await count(known);
  const places = (await askAnchors(host, known.origin)).map(({ anchors, ...place }) => ({
    ...place,
    anchored: anchors === null ? null : sizeOf(anchors.at(-1)?.note, known),
  }));
  const anchored = Math.max(0, ...places.map((place) => place.anchored ?? 0));
  const oldest = anchored < entries ? await unanchored(anchored) : null;
  const ageMs = oldest === null ? null : Math.max(0, host.clock.nowMs() - Date.parse(oldest));
  return {
    document: {
      schemaVersion: 1,
      log: known.origin,
      path: known.path,
      entries,
      signed,
      anchored,
      unanchored: anchored < entries ? { from: anchored, to: entries - 1, ageMs } : null,
      places,
    },
    table: (paint) =>
      [
        `${paint.bold(known.origin)}: ${entries} entries, ${signed} signed, ${anchored} anchored`,
        ...(anchored < entries
          ? [
              paint.warn(
                `entries ${anchored} to ${entries - 1} are not anchored yet, the oldest since ${oldest}`,
              ),
            ]
          : []),
        paint.table(
          ['place', 'anchored', 'waiting', 'remark'],
          places.map(({ place, anchored: size, waiting, why }) => [
            place,
            size === null ? 'unknown' : String(size),
            String(waiting),
            why ?? '',
          ]),
        ),
      ].join('\n'),
  };
};

const sizeOf = (note: string | undefined, { keys }: KnownLog): number => {
  if (note === undefined) return 0;
  const checkpoint = opened(note, keys.verifiers);
  return typeof checkpoint === 'string' ? 0 : checkpoint.size;
};

const count = async (known: KnownLog) => {
  const log = readLog(known.path);
  let entries = 0;
  for await (const { number } of log.entries()) entries = number + 1;
  const note = await log.readCheckpoint();
  return {
    entries,
    signed: note === null ? 0 : sizeOf(note, known),
    /** When the entry of that number was made. */
    unanchored: async (from: number): Promise<string | null> => {
      for await (const { number, bytes } of log.entries())
        if (number === from) return parseEntry(bytes)?.at ?? null;
      return null;
    },
  };
};
