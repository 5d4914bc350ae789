import { expect, test } from 'vitest';
import { createProgress, type ProgressParts } from './progress.ts';

const recorder = (flags: ProgressParts['flags'], stderr: boolean) => {
  const written: string[] = [];
  let nowMs = 1_000_000;
  const clock = { nowMs: () => nowMs };
  const task = createProgress('copy shop.orders', {
    flags,
    clock,
    terminal: { stderr },
    write: (text) => void written.push(text),
  });
  return { task, written, pass: (ms: number) => (nowMs += ms) };
};

test('a log gets one plain line per 30 s and no control characters', () => {
  const { task, written, pass } = recorder({ progress: 'auto', quiet: false }, false);
  for (let second = 0; second <= 90; second++) {
    task.update(second, 90, '12 MB/s');
    pass(1000);
  }
  task.end();
  expect(written).toEqual([
    'copy shop.orders  30/90 (33 %)  12 MB/s\n',
    'copy shop.orders  60/90 (66 %)  12 MB/s\n',
    'copy shop.orders  90/90 (100 %)  12 MB/s\n',
  ]);
});

test('a terminal gets a bar that is taken away at the end', () => {
  const { task, written } = recorder({ progress: 'auto', quiet: false }, true);
  task.update(50, 100);
  task.end();
  expect(written[0]).toContain('[############------------] copy shop.orders  50/100 (50 %)');
  expect(written.at(-1)).toBe('\r\u001b[2K');
});

test('a bar that was asked for is still plain where there is no terminal', () => {
  const { task, written, pass } = recorder({ progress: 'bar', quiet: false }, false);
  pass(30_000);
  task.update(1, null);
  expect(written).toEqual(['copy shop.orders  1\n']);
});

test.each([
  { progress: 'none' as const, quiet: false },
  { progress: 'bar' as const, quiet: true },
])('nothing with %o', (flags) => {
  const { task, written, pass } = recorder(flags, true);
  task.update(1, 2);
  pass(60_000);
  task.update(2, 2);
  task.end();
  expect(written).toEqual([]);
});
