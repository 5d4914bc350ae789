import { copyFile, mkdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configWith, folder, run, start, type Folder, type Spawned } from './spawn.ts';

const BIN = join(import.meta.dirname, '../../bin');

/** Starts the program as the launcher does under a Node that is too old. */
const relaunched = [process.execPath, join(import.meta.dirname, 'too-old.fixture.js')];

const waitFor = async (path: string): Promise<void> => {
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 10));
};

/** A run that goes on until it is told to stop. */
const hanging = async (files: Folder): Promise<Spawned> => {
  await files.write('hang.sh', 'echo $PPID > started; sleep 600; true');
  await files.write('xcrepl.yaml', configWith('cmd:sh hang.sh'));
  const running = start(['config', 'validate', '--secrets'], { cwd: files.path, program: relaunched });
  await waitFor(join(files.path, 'started'));
  return running;
};

test('under a too old Node the pinned one carries output and exit code through', async () => {
  expect(await run(['explain', '1005'], { program: relaunched })).toEqual(await run(['explain', '1005']));
  expect(await run(['explain', 'nothing'], { program: relaunched })).toEqual(
    await run(['explain', 'nothing']),
  );
});

test('without a pinned Node it says which version is needed', async () => {
  await using files = await folder();
  await mkdir(join(files.path, 'bin'));
  for (const file of ['relaunch.js', 'xcrepl.js'])
    await copyFile(join(BIN, file), join(files.path, 'bin', file));
  await files.write('package.json', '{ "type": "module" }');
  const program = await files.write(
    'bin/start.js',
    "import { relaunch } from './relaunch.js';\nrelaunch('99.1');\n",
  );
  const { exit, stdout, stderr } = await run([], { program: [process.execPath, program] });
  expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
  expect(stderr).toContain('Node.js 99.1 or later is needed');
});

test('the launcher carries signals through', async () => {
  await using files = await folder();
  const running = await hanging(files);
  running.child.kill('SIGINT');
  expect(await running.ended).toMatchObject({ exit: 130, signal: null });
});

test('killing the launcher kills the program', async () => {
  await using files = await folder();
  const running = await hanging(files);
  running.child.kill('SIGKILL');
  // Standard output and error close when the last process that holds them is gone.
  expect(await running.ended).toMatchObject({ signal: 'SIGKILL', stdout: '' });
});
