/** What a refused run may leave: that it took place. */

import type { ServerState } from './server-state.ts';

/** Who held the stream, and which runs there were. A checkpoint, too, names its last runner beside its position. */
const HISTORY = ['xcrepl.streams', 'xcrepl.replication_jobs', 'xcrepl.checkpoints'];

export const withoutHistory = (state: ServerState): ServerState => {
  const sides = structuredClone(state) as Record<string, { contents: Record<string, string> }>;
  for (const { contents } of Object.values(sides)) for (const table of HISTORY) delete contents[table];
  return sides;
};
