import { expect, test } from 'vitest';
import { XcError } from '../../core/errors/xc-error.ts';
import { conclude, type Ending } from './conclude.ts';
import type { GlobalFlags } from './host.ts';

const flags: GlobalFlags = {
  config: undefined,
  output: 'table',
  quiet: false,
  verbose: false,
  color: false,
  progress: 'none',
  timeoutMs: undefined,
  lockTimeoutMs: undefined,
  input: false,
  yes: false,
  dryRun: false,
  metricsTextfile: undefined,
};
const calm: Ending = { interrupted: undefined, closed: false, reason: undefined };
const abort = new DOMException('interrupted by SIGINT', 'AbortError');

test('a finished command keeps its exit code and says nothing', () => {
  expect(conclude({ flags, exit: 6 }, calm)).toEqual({ exit: 6, text: '' });
});

test('an error gives the exit code of its class, with code, subject, why and next', () => {
  const error = new XcError('XC-6001', { subject: 'us-east-1', why: 'refused', next: 'start it' });
  expect(conclude({ flags, exit: 1, error }, calm)).toEqual({
    exit: 5,
    text: 'XC-6001 server cannot be reached: us-east-1\nwhy:  refused\nnext: start it\n',
  });
});

test('for a program the error is one line of JSON', () => {
  const error = new XcError('XC-1005', { subject: 'env:DSN', facts: { variable: 'DSN' } });
  const { text } = conclude({ flags: { ...flags, output: 'json' }, exit: 1, error }, calm);
  expect(text.trimEnd().split('\n')).toHaveLength(1);
  expect(JSON.parse(text)).toMatchObject({
    schemaVersion: 1,
    error: { code: 'XC-1005', exit: 2, subject: 'env:DSN', facts: { variable: 'DSN' } },
  });
});

test('what is no XcError is a bug', () => {
  const { exit, text } = conclude({ flags, exit: 1, error: new TypeError('x is undefined') }, calm);
  expect(exit).toBe(1);
  expect(text).toContain('XC-9001 unexpected failure');
  expect(text).not.toContain('conclude.test');
});

test('a stack trace only with --verbose, causes included', () => {
  const error = new XcError('XC-6001', { cause: new Error('ECONNREFUSED') });
  const { text } = conclude({ flags: { ...flags, verbose: true }, exit: 1, error }, calm);
  expect(text).toContain('conclude.test');
  expect(text).toContain('caused by Error: ECONNREFUSED');
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s gives %d whether the command ended well or was cut short', (interrupted, exit) => {
  const ending = { ...calm, interrupted, reason: abort };
  expect(conclude({ flags, exit: 0 }, ending).exit).toBe(exit);
  expect(conclude({ flags, exit: 1, error: abort }, ending).exit).toBe(exit);
  expect(conclude({ flags, exit: 1, error: new XcError('XC-6001') }, ending)).toMatchObject({
    exit,
    text: expect.not.stringContaining('XC-6001') as string,
  });
});

test('an unknown outcome is worth more than the interruption that led to it', () => {
  const ending = { ...calm, interrupted: 'SIGINT' as const, reason: abort };
  const { exit, text } = conclude({ flags, exit: 1, error: new XcError('XC-7003') }, ending);
  expect(exit).toBe(12);
  expect(text).toContain('XC-7003');
});

test('the deadline is told whichever way the work noticed it', () => {
  const reason = new XcError('XC-7001');
  for (const error of [reason, new DOMException('', 'AbortError'), new XcError('XC-6001')])
    expect(conclude({ flags, exit: 1, error }, { ...calm, reason })).toMatchObject({
      exit: 10,
      text: expect.stringContaining('XC-7001') as string,
    });
  expect(conclude({ flags, exit: 1, error: new XcError('XC-5001') }, { ...calm, reason }).exit).toBe(6);
});

test('a reader that went away is no error to tell, but no success either', () => {
  const reason = new DOMException('closed', 'AbortError');
  expect(conclude({ flags, exit: 1, error: reason }, { ...calm, closed: true, reason })).toEqual({
    exit: 141,
    text: '',
  });
  expect(conclude({ flags, exit: 0 }, { ...calm, closed: true, reason }).exit).toBe(0);
});
