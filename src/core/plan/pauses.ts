/** Which links have to be taken off the slots that they are on, because they are to stand still while others go on. */

import type { LinkId } from '../topology/link.ts';
import type { LinkRow } from './facts.ts';

export interface Pause {
  readonly slot: string;
  /** In order of their ids. */
  readonly links: readonly LinkId[];
}

export const isPaused = ({ state }: Pick<LinkRow, 'state'>): boolean =>
  state === 'pausing' || state === 'paused';

/**
 * Links that share a slot stand at one position: where some are to go on, those that are not leave first. The stream's own
 * slot is left by all of them, because links that join need it to move.
 * @param rows of links that stay
 */
export const pausesOf = (rows: readonly LinkRow[], own: string): Pause[] =>
  [...Map.groupBy(rows, ({ slot }) => slot)].flatMap(([slot, onSlot]) => {
    const still = onSlot.filter(isPaused);
    const others = onSlot.some((row) => !isPaused(row) && row.state !== 'needs-repair');
    const asked = still.some(({ state }) => state === 'pausing');
    if (still.length === 0 || !(slot === own || others || asked)) return [];
    return [{ slot, links: still.map(({ link }) => link).toSorted() }];
  });
