/** What a refused run may leave: that it took place. */

import type { ServerState } from './server-state.ts';

/** Who held the stream, and which runs there were. */
const HISTORY = ['xcrepl.streams', 'xcrepl.replication_jobs'];

export const withoutHistory = (state: ServerState): ServerState => {
  const sides = structuredClone(state) as Record<string, { contents: Record<string, string> }>;
  for (const { contents } of Object.values(sides)) for (const table of HISTORY) delete contents[table];
  return sides;
};
