import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { codes, type XcCode } from './catalogue.ts';
import type { CodeEntry } from './code-entry.ts';
import { exitOf } from './exit.ts';
import { nearest } from './suggest.ts';

const all = Object.entries(codes) as [XcCode, CodeEntry][];

test.each(all)('%s has a title, a meaning, a next step and an exit code of its own class', (code, entry) => {
  expect(code).toMatch(/^XC-[1-79]\d{3}$/);
  expect(entry.title).not.toBe('');
  expect(entry.title).not.toMatch(/\.$/);
  expect(entry.means).toMatch(/\.$/);
  expect(entry.next).not.toBe('');
  const [low, high] = {
    1: [2, 2],
    2: [7, 7],
    3: [8, 8],
    4: [4, 4],
    5: [6, 6],
    6: [5, 5],
    7: [10, 13],
    9: [1, 1],
  }[code[3]!]!;
  expect(exitOf(code)).toBeGreaterThanOrEqual(low!);
  expect(exitOf(code)).toBeLessThanOrEqual(high!);
});

test('no two rooms give one code two meanings', async () => {
  const directory = join(import.meta.dirname, 'codes');
  const seen = new Map<string, string>();
  for (const file of await readdir(directory)) {
    const module = (await import(join(directory, file))) as Record<string, Record<string, CodeEntry>>;
    for (const code of Object.values(module).flatMap(Object.keys)) {
      expect(seen.get(code), `${code} in ${file}`).toBeUndefined();
      seen.set(code, file);
    }
  }
  expect(seen.size).toBe(all.length);
});

test('suggests what is near and nothing that is far', () => {
  expect(nearest('replicaton', ['replication', 'failover'])).toBe('replication');
  expect(nearest('teir', ['tier', 'to'])).toBe('tier');
  expect(nearest('zzzz', ['tier', 'to'])).toBeUndefined();
});
