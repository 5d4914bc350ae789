/** What every refusal of the program must be: typed, told to people and to programs, and with a remedy. */

import { expect } from 'vitest';
import { codes } from '../../src/core/errors/catalogue.ts';
import type { RunResult } from '../harness/xcrepl-process.ts';

export interface Refusal {
  readonly code: string;
  readonly exit: number;
  /** All of these are in subject, why or next. */
  readonly says?: readonly (string | RegExp)[];
}

export interface ToldError {
  readonly code: string;
  readonly title: string;
  readonly subject?: string;
  readonly why?: string;
  readonly next: string;
  readonly exit: number;
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** The error as a program gets it: the last line of standard error of a command that ran with -o json. */
export const toldError = (result: RunResult): ToldError => {
  const line = result.stderr.trimEnd().split('\n').at(-1) ?? '';
  const parsed = ((): { schemaVersion?: number; error?: ToldError } => {
    try {
      return JSON.parse(line) as object;
    } catch {
      throw new Error(
        `no JSON error (exit ${result.exitCode}):\n${result.stderr}\n--- stdout\n${result.stdout}`,
      );
    }
  })();
  expect(parsed.schemaVersion, line).toBe(1);
  expect(parsed.error, line).toBeDefined();
  return parsed.error!;
};

/** Of a command that ran with -o json. */
export const expectRefusal = (result: RunResult, wanted: Refusal): ToldError => {
  const error = toldError(result);
  expect({ exit: result.exitCode, code: error.code, told: error.exit }, result.stderr).toEqual({
    exit: wanted.exit,
    code: wanted.code,
    told: wanted.exit,
  });
  expect(result.stdout).toBe('');
  expect(error.next).not.toBe('');
  expect(Object.keys(codes)).toContain(error.code);
  const text = [error.subject, error.why, error.next].join('\n');
  for (const part of wanted.says ?? [])
    if (typeof part === 'string') expect(text).toContain(part);
    else expect(text).toMatch(part);
  return error;
};
