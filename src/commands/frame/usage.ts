/** What commander refuses, as the program's own error: one code, with the suggestion and the help to read. */

import { CommanderError } from '@commander-js/extra-typings';
import { XcError } from '../../core/errors/xc-error.ts';

/** Ends that are no mistakes: help or the version was asked for and written. */
const DONE = new Set(['commander.helpDisplayed', 'commander.version']);

export type Parsed = 'shown' | XcError | undefined;

/**
 * @param command the words that were understood, "xcrepl replication"
 * @returns 'shown' when help or version was written, the error for a mistake, undefined for anything else
 */
export const asUsage = (error: unknown, command: string): Parsed => {
  if (!(error instanceof CommanderError)) return undefined;
  if (DONE.has(error.code)) return 'shown';
  if (error.code === 'commander.help')
    return new XcError('XC-1001', {
      subject: command,
      why: 'a subcommand is needed',
      next: `${command} --help`,
    });
  const text = error.message.replace(/^error: /, '').replace(/\.$/, '');
  const suggestion = /\(Did you mean (.*?)\?\)/s.exec(text)?.[1]?.replace(/^one of /, '');
  return new XcError('XC-1001', {
    subject: text.replace(/\s*\(Did you mean.*$/s, ''),
    ...(suggestion === undefined ? {} : { why: `did you mean ${suggestion}?` }),
    next: `${command} --help`,
  });
};
