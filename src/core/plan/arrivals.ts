/** Links that stand on another stream than the configuration has them on, because `dedicated` of their rule was changed. */

import { slotName } from '../topology/link.ts';
import type { LinkRow, TargetFacts } from './facts.ts';
import type { Finding } from './plan.ts';

/** Those that can change over: they flow on the slot of the stream that they are on, with all of their tables. */
export const arrivals = ({ elsewhere = [], tables }: Pick<TargetFacts, 'elsewhere' | 'tables'>): LinkRow[] =>
  elsewhere.filter(
    ({ link, state, slot, stream }) =>
      (state === 'streaming' || state === 'catching-up') &&
      slot === slotName(stream) &&
      (tables?.get(link) ?? []).every((table) => table.slot === null),
  );

export const staysFinding = (row: LinkRow, moves: boolean): Finding => ({
  check: 'link-stream',
  subject: row.link,
  verdict: 'unknown',
  severity: 'info',
  seen: moves
    ? `it stands on stream ${row.stream}, in state ${row.state}, and changes over once it streams there`
    : `it stands on stream ${row.stream}, and changes over when a run is started`,
  code: 'XC-5243',
});
