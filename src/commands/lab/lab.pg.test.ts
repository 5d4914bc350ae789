import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { runXcrepl, type RunResult } from '../../../test/harness/xcrepl-process.ts';
import { configSchema } from '../../core/config/schema.ts';
import { labDown } from '../../providers/lab/lab.ts';

const DIRECTORY = '.xcrepl/lab/default';
let cwd: string;

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'xcrepl-lab-command-'));
  await chmod(cwd, 0o755);
});
afterEach(async () => {
  await labDown(join(cwd, DIRECTORY));
  await rm(cwd, { recursive: true, force: true });
});

const lab = (...args: readonly string[]): Promise<RunResult> =>
  runXcrepl(['lab', ...args, '-o', 'json'], { cwd });

test('a lab with the shop comes up, stays up, is shown, and goes', async () => {
  expect((await lab('up', '--dry-run')).json()).toMatchObject({ state: 'absent', would: 'start' });
  expect((await lab('status')).json()).toMatchObject({ state: 'absent', regions: [] });

  const first = await lab('up', '--fixture', 'shop', '--tcp');
  expect(first.exitCode).toBe(0);
  const document = first.json() as { config: string; regions: { dsnFile: string }[] };
  expect(document).toMatchObject({ schemaVersion: 1, changed: true, fixture: 'shop' });
  const config = configSchema.parse(parse(await readFile(document.config, 'utf8')));
  expect(Object.keys(config.tenants)).toContain('globex');
  expect(config.rules[0]).toMatchObject({ from: 'us-east-1', to: ['eu-central-1'] });

  const again = await lab('up');
  expect(again).toMatchObject({ exitCode: 0 });
  expect(again.json()).toEqual({ ...document, changed: false });
  expect((await lab('up', '--regions', 'x,y')).exitCode).toBe(2);

  const shown = await lab('status');
  expect(shown.exitCode).toBe(0);
  expect(shown.json()).toMatchObject({ state: 'up', regions: [{ answers: true }, { answers: true }] });

  const passwords = await Promise.all(
    document.regions.map(async ({ dsnFile }) => new URL(await readFile(dsnFile, 'utf8')).password),
  );
  for (const { stdout, stderr } of [first, again, shown])
    for (const password of passwords) expect(stdout + stderr).not.toContain(password);

  expect((await lab('down', '--dry-run')).json()).toMatchObject({
    changed: false,
    regions: ['us-east-1', 'eu-central-1'],
  });
  expect((await lab('status')).json()).toMatchObject({ state: 'up' });
  expect((await lab('down')).json()).toMatchObject({ changed: true });
  const nothing = await lab('down');
  expect(nothing).toMatchObject({ exitCode: 0 });
  expect(nothing.json()).toMatchObject({ changed: false });
});

test.each([
  [['--regions', 'a'], 'XC-1201'],
  [['--regions', 'a,a'], 'XC-1201'],
  [['--regions', 'A,b'], 'XC-1201'],
  [['--pg-version', '14'], 'XC-1201'],
  [['--fixture', 'zoo'], 'XC-1201'],
])('refuses %j, and starts nothing', async (args, code) => {
  const refused = await lab('up', ...args);
  expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
  expect(refused.stderr).toContain(code);
  expect((await lab('status')).json()).toMatchObject({ state: 'absent' });
});
