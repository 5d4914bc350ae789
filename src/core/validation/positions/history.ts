/**
 * The history of a server's timelines, as its history file has it: each line names a timeline that was left, and the
 * position at which the next one left it (PostgreSQL documentation, 26.3.6; TIMELINE_HISTORY in 54.4).
 */

import { parseLsn, type Lsn } from '../../change/lsn.ts';

export interface TimelineSwitch {
  /** The timeline that was left. */
  readonly timeline: number;
  /** First position that is not of it any more. */
  readonly at: Lsn;
}

/** Comments and empty lines are left out, as the server does itself. */
export const parseHistory = (text: string): TimelineSwitch[] =>
  text.split('\n').flatMap((line) => {
    const [, timeline, at] = /^\s*(\d+)\s+([0-9A-Fa-f]+\/[0-9A-Fa-f]+)/.exec(line) ?? [];
    return timeline === undefined || at === undefined
      ? []
      : [{ timeline: Number(timeline), at: parseLsn(at) }];
  });
