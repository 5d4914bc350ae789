import { appendFile, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { lsnOf, parseLsn } from '../../core/change/lsn.ts';
import { filePath } from './log-files.ts';
import { FileWriter } from './file-writer.ts';
import { replayedLog } from './replayed-log.ts';
import { resumeLog } from './resume-log.ts';
import { openSmall, readSmall, smallLog, type SmallLog } from './small-log.fixture.ts';

const START = lsnOf(1n);
const NO_ROTATION = 1e9;

const fill = async (log: SmallLog, transactions: number): Promise<unknown[]> => {
  const all: unknown[] = [];
  for (let at = 0; at < transactions; at++) {
    const rows = [
      [`${at}a`, 'x'.repeat(40)],
      [`${at}b`, null],
    ] as const;
    await log.transaction(rows);
    all.push(...rows);
  }
  return all;
};

test('gives every row once, from the start or from any position, to the end or to a position', async () => {
  await using log = await smallLog(1_000);
  const all = await fill(log, 12);
  const files = (await readdir(dirname(log.path))).toSorted();
  expect(files.length).toBeGreaterThan(2);
  expect(await readSmall(log.path, START)).toEqual({ rows: all, position: lsnOf(120n) });
  for (let done = 1n; done <= 12n; done++) {
    const from = lsnOf(done * 10n);
    expect((await readSmall(log.path, from)).rows).toEqual(all.slice(Number(done) * 2));
    expect(await readSmall(log.path, START, from)).toEqual({
      rows: all.slice(0, Number(done) * 2),
      position: from,
    });
  }
  expect(await replayedLog(log.path).end()).toBe(lsnOf(120n));
});

test('every edit of a line, and every missing, doubled or moved line, is found before its transaction is given', async () => {
  await using log = await smallLog(NO_ROTATION);
  const all = await fill(log, 3);
  const text = await readFile(log.path, 'utf8');
  const lines = text.trimEnd().split('\n');
  const put = (changed: readonly string[]): Promise<void> => writeFile(log.path, `${changed.join('\n')}\n`);
  const expectFound = async (what: string): Promise<void> => {
    const read = await readSmall(log.path, START).then(
      ({ rows }) => ({ rows }),
      (error: { code?: string }) => ({ code: error.code }),
    );
    // What was whole before the edit may be given; a row that is not the log's own never is.
    expect(read, what).toMatchObject({ code: expect.stringMatching(/^XC-503[1346]$/) as string });
  };
  for (const [index, line] of lines.entries()) {
    for (let at = 0; at < line.length; at += index === 1 ? 97 : 7) {
      await put(lines.with(index, line.slice(0, at) + (line[at] === '7' ? '8' : '7') + line.slice(at + 1)));
      await expectFound(`line ${index + 1}, character ${at}`);
    }
    await put(lines.toSpliced(index, 0, line));
    await expectFound(`line ${index + 1} doubled`);
    if (index + 1 === lines.length) continue;
    await put(lines.toSpliced(index, 1));
    await expectFound(`line ${index + 1} missing`);
    await put(lines.with(index, lines[index + 1]!).with(index + 1, line));
    await expectFound(`line ${index + 1} moved`);
  }
  await put(lines);
  expect((await readSmall(log.path, START)).rows).toEqual(all);
});

test('names file and line of an edit', async () => {
  await using log = await smallLog(NO_ROTATION);
  await fill(log, 2);
  const lines = (await readFile(log.path, 'utf8')).split('\n');
  await writeFile(log.path, lines.with(3, lines[3]!.replace('0a', '0z')).join('\n'));
  await expect(readSmall(log.path, START)).rejects.toMatchObject({
    code: 'XC-5031',
    subject: `${log.path}:4`,
  });
});

test('a torn last line, and a transaction without its commit, are waited for; a recording cuts them off and goes on', async () => {
  await using log = await smallLog(NO_ROTATION);
  const all = await fill(log, 2);
  const whole = await readFile(log.path);
  await log.transaction([['later', 'row']]);
  const more = await readFile(log.path);
  await using source = await openSmall(log.path, lsnOf(20n), null);
  const signal = new AbortController().signal;
  for (let size = whole.length; size < more.length; size += 13) {
    await writeFile(log.path, more.subarray(0, size));
    expect((await readSmall(log.path, START)).rows).toEqual(all);
    expect(await source.next(0, signal)).toBe('idle');
  }
  // The recording that was killed goes on: what it had not ended is gone, and another transaction stands there.
  const resumed = (await resumeLog(log.path))!;
  expect(resumed.position).toBe(lsnOf(20n));
  await using writer = await FileWriter.resume({ path: log.path, rotateBytes: NO_ROTATION }, resumed);
  writer.add({ t: 'position', lsn: '0/63', at: null });
  writer.ended(parseLsn('0/63'));
  await writer.write();
  expect(await source.next(0, signal)).toMatchObject({ size: 0, position: parseLsn('0/63') });
  expect(await readSmall(log.path, START)).toEqual({ rows: all, position: parseLsn('0/63') });
});

test('a missing file, one without its seal, one that goes on behind it, and a log that lost its end each have their answer', async () => {
  await using log = await smallLog(1_000);
  await fill(log, 12);
  const second = filePath(log.path, 2);
  const bytes = await readFile(second);
  const code = (from = START): Promise<unknown> =>
    readSmall(log.path, from).then(
      () => null,
      (error: { code?: string }) => error.code,
    );
  await rename(second, `${second}.away`);
  expect(await code()).toBe('XC-5032');
  await rename(`${second}.away`, second);
  const seal = bytes.lastIndexOf('\n', bytes.length - 2) + 1;
  await writeFile(second, bytes.subarray(0, seal));
  expect(await code()).toBe('XC-5034');
  await writeFile(second, bytes.subarray(0, seal + 20));
  expect(await code()).toBe('XC-5034');
  await writeFile(second, bytes);
  await appendFile(second, 'x');
  expect(await code()).toBe('XC-5034');
  await writeFile(second, bytes);
  expect(await code()).toBeNull();
  // Old files may be taken away, but not what follows a checkpoint.
  await rm(log.path);
  expect(await code(lsnOf(110n))).toBeNull();
  expect(await code()).toBe('XC-5032');
  await truncate(filePath(log.path, (await resumeLog(log.path))!.boundary.file), 0);
  expect(await code(lsnOf(120n))).toBe('XC-5033');
});

test('a position that is no end of a transaction belongs to another log', async () => {
  await using log = await smallLog(NO_ROTATION);
  await fill(log, 3);
  await expect(readSmall(log.path, lsnOf(15n))).rejects.toMatchObject({ code: 'XC-5033' });
  await expect(readSmall(log.path, lsnOf(99n))).rejects.toMatchObject({ code: 'XC-5033' });
});

test('from a position to the same one there is nothing, and it ends at once', async () => {
  await using log = await smallLog(NO_ROTATION);
  await fill(log, 3);
  for (const at of [START, lsnOf(20n), lsnOf(30n)]) {
    await using source = await openSmall(log.path, at, at);
    expect(await source.next(1_000, new AbortController().signal)).toBeNull();
  }
});

test('a transaction that is larger than a batch comes in several, of which only the last is whole', async () => {
  await using log = await smallLog(NO_ROTATION);
  const rows = Array.from({ length: 51_000 }, (_, at) => [`${at}`, 'y'.repeat(120)] as const);
  await log.transaction(rows);
  await log.transaction([['last', null]]);
  await using source = await openSmall(log.path, START, lsnOf(20n));
  const open: boolean[] = [];
  let changes = 0;
  for (;;) {
    const batch = await source.next(1_000, new AbortController().signal);
    if (batch === null) break;
    if (batch === 'idle') continue;
    open.push(batch.open);
    changes += batch.size;
  }
  expect(changes).toBe(51_001);
  expect(open.length).toBeGreaterThan(1);
  expect(open.at(-1)).toBe(false);
  expect(open[0]).toBe(true);
});
