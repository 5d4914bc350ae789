/** XC-1xxx: usage and configuration. Exit 2. */

import type { CodeEntry } from '../catalogue.ts';

export const usageCodes = {
  'XC-1001': {
    title: 'unknown or malformed argument',
    means: 'The command line names an option, value or subcommand that does not exist or does not fit.',
    next: 'see the same command with --help',
  },
  'XC-1002': {
    title: 'configuration is not valid',
    means:
      'One or more values of the configuration were refused. Every mistake is listed with file, line and column.',
    next: 'correct the listed places, then run xcrepl config validate',
  },
  'XC-1003': {
    title: 'configuration file cannot be read',
    means: 'The file named by --config, or found in the working directory, is missing or unreadable.',
    next: 'check the path, or write one with xcrepl config init',
  },
  'XC-1004': {
    title: 'malformed value',
    means: 'A value that must have a fixed form (an LSN, a duration, a size, a time range) has another.',
    next: 'give the value in the form that the message shows',
  },
  'XC-1005': {
    title: 'secret is missing',
    means:
      'A reference (env:, file:, cmd:, vault:) points to nothing. With a configuration or any DSN given this is never a quiet change to simulation.',
    next: 'set the secret where the reference points',
  },
  'XC-1006': {
    title: 'no such name in the configuration',
    means: 'A region, tenant, rule, link or table on the command line is not in the configuration.',
    next: 'list what there is with xcrepl config show',
  },
  'XC-1007': {
    title: 'capability not available in this version',
    means: 'The configuration parses and plans, but this part of it cannot run yet in the installed version.',
    next: 'leave it out of this run, or install a version that has it',
  },
} as const satisfies Record<string, CodeEntry>;
