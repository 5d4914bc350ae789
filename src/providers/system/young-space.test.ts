import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';

const FIXTURE = join(import.meta.dirname, 'young-space.fixture.ts');

/** 64 MiB where it grows as it likes. */
test('the room for young objects stops growing', async () => {
  const { stdout } = await execa(process.execPath, [FIXTURE]);
  expect(Number(stdout)).toBeGreaterThanOrEqual(16 * 2 ** 20);
  expect(Number(stdout)).toBeLessThanOrEqual(32 * 2 ** 20);
});
