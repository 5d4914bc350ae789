/** Options that several verbs of `snapshot` have. */

import type { Command } from '@commander-js/extra-typings';
import { XcError } from '../../core/errors/xc-error.ts';

export const withPlace = (command: Command) =>
  command
    .option('--from <region>', 'region of the store; every region that has one without it')
    .option('--tenant <tenant>', 'only snapshots of this tenant');

/** Parts that are read or written side by side. */
export const TRANSFERS = 4;
const MOST_TRANSFERS = 64;

export const transfers = (text: string): number => {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= MOST_TRANSFERS) return count;
  throw new XcError('XC-1004', {
    subject: '--transfers',
    why: `"${text}" is not between 1 and ${MOST_TRANSFERS}`,
  });
};

export const collected = (value: string, before: readonly string[] | undefined): string[] => [
  ...(before ?? []),
  value,
];
