/** What a refused run may leave: that it took place. */

import type { ServerState } from './server-state.ts';

/** Who held the stream, which runs there were, and how far the log of them was anchored. A checkpoint, too, names its last runner beside its position. */
const HISTORY = ['xcrepl.streams', 'xcrepl.replication_jobs', 'xcrepl.checkpoints', 'xcrepl.audit_anchors'];

export const withoutHistory = (state: ServerState): ServerState => {
  const sides = structuredClone(state) as Record<string, { contents: Record<string, string> }>;
  for (const { contents } of Object.values(sides)) for (const table of HISTORY) delete contents[table];
  return sides;
};
