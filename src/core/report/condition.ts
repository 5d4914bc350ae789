/** `--wait-for 'lag<5s'`: a measure of every selected link, compared with a limit. */

import { durationMs, sizeBytes } from '../config/quantity.ts';
import { XcError } from '../errors/xc-error.ts';
import type { LinkStatus } from './link-status.ts';

export interface Condition {
  readonly text: string;
  /** True when every link fulfils it; a link whose measure is not known does not. */
  holds(links: readonly LinkStatus[]): boolean;
}

const FORM = /^\s*(lag|bytes|state|slo)\s*(<=|>=|<|>|=)\s*(\S+)\s*$/;

/** @throws XcError XC-1305 */
export const parseCondition = (text: string): Condition => {
  const [, measure, operator, limit] = FORM.exec(text) ?? [];
  if (measure === undefined || operator === undefined || limit === undefined)
    throw new XcError('XC-1305', {
      subject: text,
      why: 'write it as lag<5s, bytes<1MiB, state=streaming or slo=met',
    });
  const test =
    measure === 'lag' || measure === 'bytes'
      ? numeric(text, measure, operator, limit)
      : textual(text, measure, operator, limit);
  return { text, holds: (links) => links.length > 0 && links.every(test) };
};

const numeric = (
  text: string,
  measure: 'lag' | 'bytes',
  operator: string,
  limitText: string,
): ((link: LinkStatus) => boolean) => {
  const limit = measure === 'lag' ? durationMs(limitText) : sizeBytes(limitText);
  if (limit === null)
    throw new XcError('XC-1305', {
      subject: text,
      why: `"${limitText}" is no ${measure === 'lag' ? 'duration' : 'size'}`,
    });
  return (link) => {
    const value = measure === 'lag' ? link.lagMs : link.lagBytes;
    return value !== null && compare(value, operator, limit);
  };
};

const textual = (
  text: string,
  measure: string,
  operator: string,
  wanted: string,
): ((link: LinkStatus) => boolean) => {
  if (operator !== '=') throw new XcError('XC-1305', { subject: text, why: `${measure} is compared with =` });
  return (link) => (measure === 'state' ? link.state : link.slo.verdict) === wanted;
};

const compare = (value: number, operator: string, limit: number): boolean => {
  switch (operator) {
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
    default:
      return value === limit;
  }
};
