/** What there is of the log, and how much of it lies elsewhere too. */

import { parseEntry } from '../../core/audit/entry.ts';
import { treeRoot } from '../../core/audit/merkle.ts';
import { opened } from '../../core/audit/proof.ts';
import { readLog } from '../../providers/audit-files/open-log.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { askAnchors } from './anchors.ts';
import { findLog, type KnownLog } from './open.ts';
import { durationText } from '../replication/quantities.ts';
import { nodesOf } from './prove-from-log.ts';

export const auditStatus = async (host: Host): Promise<Outcome> => {
  const known = await findLog(host);
  if (!known)
    return {
      document: { schemaVersion: 1, log: null, entries: 0 },
      table: () => 'no log here yet: the first command that changes something begins it',
    };
  const { entries, signed, madeAt } = await count(known);
  const places: PlaceStatus[] = [];
  for (const { anchors, ...place } of await askAnchors(host, known.origin, true)) {
    const seen = anchors === null ? { anchored: null } : await newestOf(known, anchors.at(-1)?.note, signed);
    places.push({ ...place, ...seen });
  }
  const since = async (anchored: number): Promise<Unanchored | null> => {
    const oldest = anchored < entries ? await madeAt(anchored) : null;
    if (oldest === null) return null;
    return { from: anchored, to: entries - 1, ageMs: Math.max(0, host.clock.nowMs() - Date.parse(oldest)) };
  };
  for (const place of places) if (place.anchored !== null) place.unanchored = await since(place.anchored);
  const anchored = Math.max(0, ...places.map((place) => place.anchored ?? 0));
  const unanchored = await since(anchored);
  return {
    document: {
      schemaVersion: 1,
      log: known.origin,
      path: known.path,
      entries,
      signed,
      anchored,
      unanchored,
      places,
    },
    table: (paint) =>
      [
        `${paint.bold(known.origin)}: ${entries} entries, ${signed} signed, ${anchored} anchored`,
        ...(unanchored === null ? [] : [paint.warn(`nowhere anchored yet: ${textOf(unanchored)}`)]),
        paint.table(
          ['place', 'anchored', 'not yet anchored', 'waiting', 'remark'],
          places.map((place) => [
            place.place,
            place.anchored === null ? 'unknown' : String(place.anchored),
            place.unanchored ? textOf(place.unanchored) : '',
            String(place.waiting),
            place.why ?? '',
          ]),
        ),
      ].join('\n'),
  };
};

/** Entries by number, and how long ago the first of them was made. */
interface Unanchored {
  readonly from: number;
  readonly to: number;
  readonly ageMs: number;
}

interface PlaceStatus {
  readonly place: string;
  /** Null where it is not known. */
  readonly anchored: number | null;
  unanchored?: Unanchored | null;
  readonly waiting: number;
  readonly claimed: number;
  readonly why?: string;
}

const textOf = ({ from, to, ageMs }: Unanchored): string => `${from} to ${to}, for ${durationText(ageMs)}`;

/** What the newest anchor of a place covers. An anchor that this log does not fit covers nothing. */
const newestOf = async (
  known: KnownLog,
  note: string | undefined,
  signed: number,
): Promise<{ readonly anchored: number | null; readonly why?: string }> => {
  if (note === undefined) return { anchored: 0 };
  const checkpoint = opened(note, known.keys.verifiers);
  const misfit = { anchored: null, why: 'the newest anchor does not fit the log: see xcrepl audit verify' };
  if (typeof checkpoint === 'string' || checkpoint.size > signed) return misfit;
  const root = await treeRoot(checkpoint.size, nodesOf(known, signed));
  return Buffer.compare(root, checkpoint.root) === 0 ? { anchored: checkpoint.size } : misfit;
};

const sizeOf = (note: string, { keys }: KnownLog): number => {
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
    madeAt: async (from: number): Promise<string | null> => {
      for await (const { bytes } of log.entries(from)) return parseEntry(bytes)?.at ?? null;
      return null;
    },
  };
};
