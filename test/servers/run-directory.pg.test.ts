import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { livingServer } from '../../src/providers/lab/server.ts';

const SCRIPT = `
  import { sharedServers } from ${JSON.stringify(join(import.meta.dirname, 'server-pair.ts'))};
  const { source, target } = await sharedServers(18);
  console.log(JSON.stringify([source.region.dataDirectory, target.region.dataDirectory]));
  setInterval(() => 0, 1000);
`;

test('no server survives a run whose main process is killed', async () => {
  const { XCREPL_TEST_RUN_DIRECTORY: _, ...env } = process.env;
  const child = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const directories = JSON.parse(line) as string[];
  const living = () => Promise.all(directories.map(livingServer));
  expect((await living()).every((pid) => pid !== null)).toBe(true);
  child.kill('SIGKILL');
  while ((await living()).some((pid) => pid !== null)) await sleep(50);
  const run = join(directories[0]!, '../../..');
  while ((await stat(run).catch(() => null)) !== null) await sleep(50);
});
