/**
 * Exit codes: the only place that knows them. Scripts decide by these numbers, so they never change their meaning.
 */

import { codes, type XcCode } from './catalogue.ts';
import type { CodeEntry } from './code-entry.ts';

export const EXIT = {
  done: 0,
  bug: 1,
  usage: 2,
  partly: 3,
  access: 4,
  unavailable: 5,
  findings: 6,
  refused: 7,
  stale: 8,
  deadline: 10,
  locked: 11,
  unknown: 12,
  confirmation: 13,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const BY_THOUSAND: Readonly<Record<string, ExitCode>> = {
  1: EXIT.usage,
  2: EXIT.refused,
  3: EXIT.stale,
  4: EXIT.access,
  5: EXIT.findings,
  6: EXIT.unavailable,
  9: EXIT.bug,
};

export const exitOf = (code: XcCode): number => {
  const entry: CodeEntry = codes[code];
  return entry.exit ?? BY_THOUSAND[code.charAt(3)] ?? EXIT.bug;
};

/** What each exit code tells a script, for help texts and the generated reference. */
export const EXIT_MEANINGS: Readonly<Record<number, string>> = {
  [EXIT.done]: 'done, effect read back; "no change" is 0 too',
  [EXIT.bug]: 'unexpected failure (a bug)',
  [EXIT.usage]: 'usage or configuration',
  [EXIT.partly]: 'partly done; the report says which part',
  [EXIT.access]: 'authentication or permission at a provider',
  [EXIT.unavailable]: 'unavailable; retrying may help',
  [EXIT.findings]: 'findings: divergence, conflicts, lag over objective',
  [EXIT.refused]: 'refused by policy, residency or a safety gate',
  [EXIT.stale]: 'plan stale, or approval missing or invalid',
  [EXIT.deadline]: 'deadline passed',
  [EXIT.locked]: 'lock held by another run',
  [EXIT.unknown]: 'outcome unknown',
  [EXIT.confirmation]: 'confirmation needed and no terminal',
  [EXIT.interrupted]: 'interrupted by SIGINT, resumable',
  [EXIT.terminated]: 'interrupted by SIGTERM, resumable',
};
