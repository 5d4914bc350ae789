/** What a plan comes to, and the guards that stop one before anything is done. */

import { XcError } from '../errors/xc-error.ts';
import type { Action, Entry } from './entry.ts';

export interface Totals {
  readonly objects: Readonly<Record<Action, number>>;
  readonly bytes: Readonly<Record<Action, number>>;
}

export class Counting {
  readonly objects: Record<Action, number> = { copy: 0, replace: 0, delete: 0, same: 0, unknown: 0 };
  readonly bytes: Record<Action, number> = { copy: 0, replace: 0, delete: 0, same: 0, unknown: 0 };

  add({ action, source, target }: Pick<Entry, 'action' | 'source' | 'target'>): void {
    this.objects[action] += 1;
    this.bytes[action] += source?.bytes ?? target?.bytes ?? 0;
  }
}

/** A count, or a part of the target's objects: "50%". */
export type DeleteLimit =
  { readonly kind: 'count'; readonly objects: number } | { readonly kind: 'part'; readonly percent: number };

export const HALF: DeleteLimit = { kind: 'part', percent: 50 };

/** @throws XcError XC-1004 */
export const parseDeleteLimit = (text: string): DeleteLimit => {
  const [, number, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  const amount = Number(number);
  if (number === undefined || (percent === '%' ? amount > 100 : !Number.isInteger(amount)))
    throw new XcError('XC-1004', {
      subject: '--max-delete',
      why: `"${text}" is neither a count nor a part such as 50%`,
    });
  return percent === '%' ? { kind: 'part', percent: amount } : { kind: 'count', objects: amount };
};

/**
 * An empty source is a wrong prefix, a lost mount or a stolen bucket far more often than a wish.
 * @throws XcError XC-2080, XC-2081
 */
export const guardDeletions = (subject: string, { objects }: Totals, limit: DeleteLimit): void => {
  const atTarget = objects.delete + objects.replace + objects.same + objects.unknown;
  const atSource = objects.copy + objects.replace + objects.same + objects.unknown;
  if (atSource === 0 && atTarget > 0)
    throw new XcError('XC-2081', { subject, why: `the target has ${atTarget} objects` });
  const most = limit.kind === 'count' ? limit.objects : (atTarget * limit.percent) / 100;
  if (objects.delete > most)
    throw new XcError('XC-2080', {
      subject,
      why: `${objects.delete} of ${atTarget} objects of the target would be deleted, and the limit is ${
        limit.kind === 'count' ? limit.objects : `${limit.percent}%`
      }`,
      facts: { delete: objects.delete, target: atTarget },
    });
};
