/** Narration for people on standard error: never part of the result, silent with --quiet. */

import type { GlobalFlags, Narrator } from './host.ts';

/** @param write writes text to standard error, already redacting */
export const createNarrator = (
  flags: Pick<GlobalFlags, 'quiet' | 'verbose'>,
  write: (text: string) => void,
): Narrator => ({
  info: (text) => {
    if (!flags.quiet) write(`${text}\n`);
  },
  detail: (text) => {
    if (flags.verbose && !flags.quiet) write(`${text}\n`);
  },
  warn: (text) => {
    if (!flags.quiet) write(`warning: ${text}\n`);
  },
});
