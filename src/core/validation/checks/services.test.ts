import { describe, expect, it } from 'vitest';
import type { Finding } from '../finding.ts';
import type { HttpAnswer, ObservedDirectory, ObservedKeyFile } from '../observed-service.ts';
import { checkCosignKey, checkDirectory, checkRegistry, checkVault } from './services.ts';

const answer = (status: number, headers: Record<string, string> = {}): HttpAnswer => ({
  kind: 'answer',
  status,
  headers,
});
const nobody: HttpAnswer = { kind: 'none', why: 'connect ECONNREFUSED' };
const brief = (row: Finding): string => `${row.verdict} ${row.severity}`;

const asked = (reply: HttpAnswer) => ({ kind: 'asked', url: 'https://registry', answer: reply }) as const;

const at = (reply: HttpAnswer) => ({ address: 'https://vault', answer: reply });

const file = (more: Partial<NonNullable<ObservedKeyFile['file']>> = {}): ObservedKeyFile => ({
  path: '/k',
  file: { isFile: true, readable: true, mode: 0o600, looksLikeKey: true, ...more },
});

describe('registry', () => {
  it('passes when it is up or declared to be none', () => {
    expect(brief(checkRegistry(asked(answer(200)), 'live'))).toBe('pass info');
    expect(brief(checkRegistry({ kind: 'declared-none' }, 'live'))).toBe('pass info');
  });

  it('blocks when it is configured and down, in simulation too', () => {
    for (const reply of [nobody, answer(503), answer(404), answer(302)])
      for (const mode of ['live', 'simulation'] as const)
        expect(brief(checkRegistry(asked(reply), mode))).toBe('fail block');
  });

  it('blocks when it is neither named nor declared to be none, in live mode only', () => {
    expect(brief(checkRegistry({ kind: 'unset' }, 'live'))).toBe('fail block');
    expect(brief(checkRegistry({ kind: 'unset' }, 'simulation'))).toBe('fail info');
  });
});

describe('vault', () => {
  it.each([
    [200, 'pass info'],
    [429, 'pass info'],
    [473, 'pass info'],
    [472, 'fail block'],
    [501, 'fail block'],
    [503, 'fail block'],
    [500, 'fail block'],
  ])('judges status %i as %s', (status, expected) => {
    expect(brief(checkVault(at(answer(status)), 'live'))).toBe(expected);
  });

  it('says sealed, and how to unseal', () => {
    expect(checkVault(at(answer(503)), 'live')).toMatchObject({
      seen: 'sealed',
      remedy: 'vault operator unseal',
    });
  });

  it('is unknown when it is not configured, and only warns in simulation', () => {
    expect(brief(checkVault(null, 'live'))).toBe('unknown info');
    expect(brief(checkVault(at(nobody), 'simulation'))).toBe('fail warn');
  });
});

describe('cosign key', () => {
  it.each<[string, ObservedKeyFile | null, string]>([
    ['a safe one', file(), 'pass info'],
    ['mode 400', file({ mode: 0o400 }), 'pass info'],
    ['none configured', null, 'unknown info'],
    ['no file', { path: '/k', file: null }, 'fail block'],
    ['a directory', file({ isFile: false }), 'fail block'],
    ['an unreadable one', file({ readable: false }), 'fail block'],
    ['a readable group', file({ mode: 0o640 }), 'fail warn'],
    ['a readable world', file({ mode: 0o604 }), 'fail warn'],
    ['another file', file({ looksLikeKey: false }), 'fail warn'],
  ])('judges %s', (_name, key, expected) => {
    expect(brief(checkCosignKey(key, 'live'))).toBe(expected);
  });
});

describe('directory', () => {
  const directory: ObservedDirectory = {
    path: '/s',
    existing: '/s',
    isDirectory: true,
    writable: true,
    freeBytes: 1e12,
  };

  it.each<[string, Partial<ObservedDirectory>, string]>([
    ['a good one', {}, 'pass info'],
    ['one to be made', { existing: '/' }, 'pass info'],
    ['unknown space', { freeBytes: null }, 'pass info'],
    ['a file', { isDirectory: false }, 'fail block'],
    ['a read-only one', { writable: false }, 'fail block'],
    ['a full disk', { freeBytes: 0 }, 'fail block'],
    ['a nearly full disk', { freeBytes: 1e6 }, 'fail warn'],
  ])('judges %s', (_name, more, expected) => {
    expect(brief(checkDirectory('state-directory', { ...directory, ...more }))).toBe(expected);
  });
});
