/** The judgement as the error that keeps a stream from starting: the same words wherever it would have started. */

import { formatLsn, type Lsn } from '../../change/lsn.ts';
import { XcError } from '../../errors/xc-error.ts';
import { mayStart, type Judgement } from './judge.ts';

/** Positions of another history: the source itself is not the one that was streamed from. */
const OTHER_HISTORY: ReadonlySet<string> = new Set([
  'other-source',
  'other-timeline',
  'history-unknown',
  'source-behind',
]);

export const codeOf = ({ reason }: Judgement): 'XC-5001' | 'XC-5206' =>
  OTHER_HISTORY.has(reason) ? 'XC-5206' : 'XC-5001';

/** @throws XcError XC-5001, XC-5206 where the stream must not start */
export const refuseGap = (slot: string, region: string, judgement: Judgement): void => {
  if (mayStart(judgement)) return;
  throw new XcError(codeOf(judgement), {
    subject: `${slot} on ${region}`,
    why: judgement.why,
    facts: rangeFacts(judgement),
  });
};

const text = (lsn: Lsn | null): string | null => (lsn === null ? null : formatLsn(lsn));

export const rangeFacts = ({ verdict, reason, from, to }: Judgement) => ({
  verdict,
  reason,
  from: text(from),
  to: text(to),
});
