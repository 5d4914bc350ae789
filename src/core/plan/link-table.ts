/** One table of one link: on its way to be carried, or asked for. */

import type { Link } from '../topology/link.ts';
import type { TableFacts } from '../topology/table.ts';

export interface TableOnSlot {
  readonly link: Link;
  readonly table: TableFacts;
  readonly copied: boolean;
}

/** A table that a link should carry, and does not. */
export interface Candidate {
  readonly link: Link;
  readonly table: TableFacts;
  /** What an earlier attempt left is in the way. */
  readonly again: boolean;
}
