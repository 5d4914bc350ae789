/** The end of every way onto a stream: a side slot is carried up to where the stream is, and what it brought is moved over. */

import type { Link, LinkId } from '../topology/link.ts';
import type { TableName } from '../topology/table.ts';
import type { StepList } from './step-list.ts';

export const idsOf = (links: readonly Link[]): LinkId[] => links.map((link) => link.id);

/** @param main the step that carries the stream itself as far */
export const planMerge = (
  slot: string,
  links: readonly LinkId[],
  steps: StepList,
  main: string,
  after: string[],
  tables?: readonly TableName[],
): void => {
  const caughtUp = steps.add({ kind: 'stream-changes', slot, until: 'source-position-at-start' }, after);
  steps.add({ kind: 'merge-links', slot, links: links.toSorted(), ...(tables ? { tables } : {}) }, [
    main,
    caughtUp,
  ]);
};
