/**
 * How an error is told: to a person code, title, subject, why and next on standard error; to a program
 * (-o json, yaml or ndjson) one line of JSON, the last one on standard error. Standard output stays empty.
 */

import { exitOf } from '../../core/errors/exit.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import type { GlobalFlags } from './host.ts';

export interface Failure {
  readonly exit: number;
  readonly text: string;
}

export const toXcError = (error: unknown): XcError => {
  if (error instanceof XcError) return error;
  const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new XcError('XC-9001', { why, cause: error });
};

/** @returns text with its trailing newline, not yet redacted */
export const describeFailure = (error: XcError, flags: Pick<GlobalFlags, 'output' | 'verbose'>): Failure => {
  const exit = exitOf(error.code);
  const text =
    flags.output === 'table' ? forPerson(error, flags.verbose) : forProgram(error, exit, flags.verbose);
  return { exit, text: `${text}\n` };
};

const forPerson = (error: XcError, verbose: boolean): string => {
  const lines = [`${error.code} ${error.title}${error.subject === undefined ? '' : `: ${error.subject}`}`];
  if (error.why !== undefined) lines.push(...indent('why:  ', error.why));
  lines.push(...indent('next: ', error.next));
  if (verbose) lines.push(stackOf(error));
  return lines.join('\n');
};

const indent = (label: string, text: string): string[] =>
  text.split('\n').map((line, index) => `${index === 0 ? label : ' '.repeat(label.length)}${line}`);

const forProgram = (error: XcError, exit: number, verbose: boolean): string => {
  const { code, title, subject, why, next, facts } = error;
  const stack = verbose ? { stack: stackOf(error) } : {};
  return JSON.stringify({
    schemaVersion: 1,
    error: { code, title, subject, why, next, exit, facts, ...stack },
  });
};

const stackOf = (error: Error): string => {
  const own = error.stack ?? String(error);
  return error.cause instanceof Error ? `${own}\ncaused by ${stackOf(error.cause)}` : own;
};
