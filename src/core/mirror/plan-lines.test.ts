import { expect, test } from 'vitest';
import type { HexDigest } from '../objects/hex-digest.ts';
import type { Entry } from './entry.ts';
import { parseHead, PlanWriter, readEntries, type PlanHead } from './plan-lines.ts';
import { Counting } from './totals.ts';

const HEAD: PlanHead = {
  schemaVersion: 1,
  kind: 'mirror',
  id: 'pl_1',
  createdAt: '2026-01-31T12:00:00.000Z',
  expiresAt: '2026-02-01T12:00:00.000Z',
  mode: 'live',
  config: 'sha256:0',
  mirror: 'm1',
  tenant: null,
  source: { region: 'a', prefix: '' },
  target: { region: 'b', prefix: 'x/' },
  filter: { include: [], exclude: ['*.tmp'] },
  immutable: false,
};
const side = { bytes: 3, version: '"v1"', modifiedAtMs: 5, sha256: 'a'.repeat(64) as HexDigest };
const ENTRIES: Entry[] = [
  { action: 'copy', key: 'line\nend', source: side, target: null, proven: false },
  { action: 'same', key: 'p\u2028q', source: side, target: { ...side, sha256: null }, proven: true },
  { action: 'delete', key: '😀', source: null, target: side, proven: false },
];

const written = (entries: readonly Entry[] = ENTRIES): string[] => {
  const writer = new PlanWriter();
  const totals = new Counting();
  const lines = [writer.head(HEAD), ...entries.map((entry) => writer.entry(entry))];
  for (const entry of entries) totals.add(entry);
  return [...lines, writer.tail(totals).line];
};

const read = async (lines: readonly string[]): Promise<Entry[]> => {
  const entries: Entry[] = [];
  const given = (async function* () {
    yield* lines;
  })();
  for await (const entry of readEntries(given, 'plan.json')) entries.push(entry);
  return entries;
};

test('a plan is one JSON document, and comes back line by line', async () => {
  const lines = written();
  expect(JSON.parse(lines.join('\n'))).toMatchObject({
    head: HEAD,
    entries: [{ action: 'copy', source: [3, '"v1"', 5, 'a'.repeat(64)] }, {}, {}],
    totals: { objects: { copy: 1, same: 1, delete: 1, replace: 0, unknown: 0 } },
  });
  expect(await read(lines)).toEqual(ENTRIES);
  expect(parseHead(lines[0]!, 'plan.json')).toEqual(HEAD);
  expect(await read(written([]))).toEqual([]);
});

test('one that was edited, cut off or is none is refused', async () => {
  const lines = written();
  const edited = lines.map((line) => line.replace('"action":"delete"', '"action":"same"'));
  await expect(read(edited)).rejects.toMatchObject({ code: 'XC-3003' });
  const otherTarget = lines.map((line) => line.replace('"region":"b"', '"region":"c"'));
  await expect(read(otherTarget)).rejects.toMatchObject({ code: 'XC-3003' });
  const otherTotals = lines.map((line) => line.replace('"delete":1,', '"delete":0,'));
  await expect(read(otherTotals)).rejects.toMatchObject({ code: 'XC-3003' });
  await expect(read(lines.slice(0, -1))).rejects.toMatchObject({ code: 'XC-1303' });
  await expect(read(lines.toSpliced(2, 1))).rejects.toMatchObject({ code: 'XC-3003' });
  await expect(read(['{"schemaVersion":1}'])).rejects.toMatchObject({ code: 'XC-1303' });
});
