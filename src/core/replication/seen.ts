/**
 * Which streamed changes a resumed copy already holds (CORRECTNESS 7): a chunk that was read under a later snapshot shows
 * every transaction that had ended by then, so those are skipped for rows of that chunk, and only for them.
 */

import type { Route, TableRange } from '../change/batch.ts';
import type { RelationMessage } from '../change/pgoutput.ts';
import { isVisible, parseSnapshot, type Snapshot } from '../change/snapshot.ts';
import { pgoutputField } from '../change/tuple-plan.ts';
import { inRange, parseCutValue, readCutValue, type CutColumn, type CutValue } from './cut.ts';

export interface CopiedChunk {
  readonly cut: CutColumn | null;
  readonly lower: string | null;
  readonly upper: string | null;
  /** pg_current_snapshot() at the source when the chunk was read. */
  readonly snapshot: string;
}

interface Judged {
  readonly lower: CutValue | null;
  readonly upper: CutValue | null;
  readonly snapshot: Snapshot;
}

/** Null where every chunk was read under the snapshot that the stream begins at. */
export const seenByChunks = (
  chunks: readonly CopiedChunk[],
  relation: RelationMessage,
  binary: boolean,
): Route['seen'] => {
  const [first] = chunks;
  if (!first) return null;
  const { cut } = first;
  const bound = (text: string | null): CutValue | null =>
    text === null || cut === null ? null : parseCutValue(cut.kind, text);
  const judged = chunks.map((chunk): Judged => ({
    lower: bound(chunk.lower),
    upper: bound(chunk.upper),
    snapshot: parseSnapshot(chunk.snapshot),
  }));
  const field = cut === null ? -1 : relation.columns.findIndex(({ name }) => name === cut.name);
  return (xid, bytes, tuple) => {
    if (cut === null || field < 0) return judged.some(({ snapshot }) => isVisible(snapshot, xid));
    const place = pgoutputField(bytes, tuple, field);
    if (!place) return false;
    const value = readCutValue(cut.kind, bytes, place[0], place[1], binary);
    const chunk = judged.find(({ lower, upper }) => inRange(value, lower, upper));
    return chunk !== undefined && isVisible(chunk.snapshot, xid);
  };
};

/** The same question for a TRUNCATE, which names no row. */
export const unseenByChunks = (chunks: readonly CopiedChunk[]): Route['unseen'] => {
  if (chunks.length === 0) return null;
  const snapshots = chunks.map((chunk) => parseSnapshot(chunk.snapshot));
  return (xid) => {
    const unseen = chunks.filter((_, at) => !isVisible(snapshots[at]!, xid));
    if (unseen.length === chunks.length) return 'all';
    return unseen.flatMap(({ cut, lower, upper }): TableRange[] =>
      cut === null ? [] : [{ column: cut.name, lower, upper }],
    );
  };
};
