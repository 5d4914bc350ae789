import { expect, test } from 'vitest';
import { CHAIN_START, chained, verifiedDigest } from './chain.ts';

const RECORDS = [
  '{"t":"begin","lsn":"0/1","xid":7}',
  '{"t":"insert","table":1,"new":["a",null]}',
  '{"t":"x"}',
];

const log = (): string[] => {
  let digest = CHAIN_START;
  return RECORDS.map((record) => {
    const line = chained(digest, record);
    ({ digest } = line);
    return line.text;
  });
};

/** Number of the first line that does not follow from the one before, or null. */
const broken = (lines: readonly string[]): number | null => {
  let digest = CHAIN_START;
  for (const [index, line] of lines.entries()) {
    const next = verifiedDigest(digest, line);
    if (next === null) return index;
    digest = next;
  }
  return null;
};

test('a line stays JSON, and its digest is 128 bits of sha256 over the line before and itself', () => {
  expect(broken(log())).toBeNull();
  // printf '%s\n%s' 00000000000000000000000000000000 '{"t":"begin","lsn":"0/1","xid":7' | sha256sum
  expect(log()[0]).toBe('{"t":"begin","lsn":"0/1","xid":7,"h":"0f90f901edb05c223fad23060d585e0b"}');
  expect(JSON.parse(log()[0]!)).toMatchObject({ t: 'begin', lsn: '0/1', xid: 7 });
});

test('every changed character, and every line that is missing, doubled or moved, is found where it stands', () => {
  const lines = log();
  for (const [index, line] of lines.entries()) {
    for (let at = 0; at < line.length; at++) {
      const edited = line.slice(0, at) + (line[at] === 'z' ? 'y' : 'z') + line.slice(at + 1);
      expect(broken(lines.with(index, edited))).toBe(index);
      expect(broken(lines.with(index, line.slice(0, at) + line.slice(at + 1)))).toBe(index);
    }
    expect(broken(lines.toSpliced(index, 0, line))).toBe(index + 1);
    if (index + 1 < lines.length) expect(broken(lines.toSpliced(index, 1))).toBe(index);
  }
  expect(broken([lines[1]!, lines[0]!, lines[2]!])).toBe(0);
});
