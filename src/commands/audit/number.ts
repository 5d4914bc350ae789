/** Numbers on the command line. */

import { XcError } from '../../core/errors/xc-error.ts';

/** @throws XcError XC-1004 */
export const parseIndex = (text: string): number => {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  throw new XcError('XC-1004', { subject: text, why: 'a whole number is expected' });
};

/** @throws XcError XC-1004 */
export const parsePositive = (text: string): number => {
  const number = parseIndex(text);
  if (number > 0) return number;
  throw new XcError('XC-1004', { subject: text, why: 'at least 1 is expected' });
};
