import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { configWith, folder, run, shell, start } from './spawn.ts';

/** Sets a pipe to not block, which Node cannot. */
const hasPython = spawnSync('python3', ['--version']).status === 0;

/** A configuration whose effective form is some 300 KiB. */
const large = configWith(
  'env:DSN',
  `tenants:\n${Array.from({ length: 3000 }, (_, n) => `  tenant-${n}: { scope: { kind: schema, schema: schema_${n} } }`).join('\n')}\n`,
);

const show = async (form: string): Promise<string> => {
  const { exit, stdout, stderr } = await run(['config', 'show', '-o', form, '-v']);
  expect({ form, exit, stderr }).toEqual({ form, exit: 0, stderr: '' });
  expect(stdout.endsWith('\n')).toBe(true);
  return stdout;
};

test('standard output has the result and nothing else, in every form', async () => {
  const document: unknown = JSON.parse(await show('json'));
  expect(document).toMatchObject({ schemaVersion: 1, mode: 'simulation' });
  expect(
    (await show('ndjson'))
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line)),
  ).toEqual([document]);
  expect(parse(await show('yaml'))).toEqual(document);
  expect(await show('table')).toContain('us-east-1');
});

test('an error leaves standard output empty; a program gets it as the last line of standard error', async () => {
  const person = await run(['explain', 'XC-0000']);
  expect(person).toMatchObject({ exit: 2, stdout: '' });
  expect(person.stderr).toMatch(/^XC-1001 .*\nwhy: {2}.*\nnext: .*\n$/);
  const program = await run(['explain', 'XC-0000', '-o', 'json']);
  expect(program).toMatchObject({ exit: 2, stdout: '' });
  expect(JSON.parse(program.stderr.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
    schemaVersion: 1,
    error: { code: 'XC-1001', exit: 2 },
  });
});

test('global flags work before and after the subcommand', async () => {
  for (const args of [
    ['-o', 'json', 'explain', '1005'],
    ['explain', '-o', 'json', '1005'],
    ['explain', '1005', '--output=json'],
    ['explain', '1005', '-ojson'],
  ])
    expect(JSON.parse((await run(args)).stdout), args.join(' ')).toMatchObject({ code: 'XC-1005' });
});

test('more than 64 KiB goes through a pipe whole', async () => {
  await using files = await folder();
  await files.write('xcrepl.yaml', large);
  const { exit, stdout } = await run(['config', 'show', '-o', 'json'], { cwd: files.path });
  expect(exit).toBe(0);
  expect(stdout.length).toBeGreaterThan(4 * 65_536);
  expect(Object.keys((JSON.parse(stdout) as { config: { tenants: object } }).config.tenants)).toHaveLength(
    3000,
  );
});

test.skipIf(!hasPython)(
  'a reader that starts late, on a pipe that does not block, gets everything too',
  async () => {
    await using files = await folder();
    await files.write('xcrepl.yaml', large);
    // The reader makes the pipe that both share non-blocking, so that the program meets a full one.
    const reader = `import fcntl, os, sys, time
fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_NONBLOCK)
import select
time.sleep(1)
total = 0
while True:
  select.select([0], [], [])
  part = os.read(0, 65536)
  if not part: break
  total += len(part)
print(total)`;
    const whole = (await run(['config', 'show', '-o', 'json'], { cwd: files.path })).stdout;
    const { stdout } = await shell(
      `set -o pipefail; python3 -c 'import fcntl,os,sys; fcntl.fcntl(1,fcntl.F_SETFL,fcntl.fcntl(1,fcntl.F_GETFL)|os.O_NONBLOCK); os.execvp(sys.argv[1],sys.argv[1:])' ${process.execPath} "$XCREPL" config show -o json | python3 -c '${reader}'; echo "exit $?"`,
      { cwd: files.path, env: { XCREPL: new URL('../../bin/xcrepl.js', import.meta.url).pathname } },
    );
    expect(stdout).toBe(`${Buffer.byteLength(whole)}\nexit 0\n`);
  },
);

test('a reader that goes away ends the output without a word', async () => {
  await using files = await folder();
  await files.write('xcrepl.yaml', large);
  const { stdout, stderr } = await shell('xcrepl config show -o json | head -1; echo "${PIPESTATUS[0]}"', {
    cwd: files.path,
  });
  expect(stderr).toBe('');
  expect(stdout).toBe('{\n0\n');
});

test('a result that cannot be written is an error', async () => {
  const { stdout, stderr } = await shell('xcrepl commands > /dev/full; echo $?');
  expect(stdout).toBe('5\n');
  expect(stderr).toContain('XC-6002');
});

/** In a terminal of its own. */
const inTerminal = (line: string) =>
  shell(`script -qec 'xcrepl() { "${process.execPath}" "$XCREPL" "$@"; }; ${line}' /dev/null`, {
    env: {
      XCREPL: new URL('../../bin/xcrepl.js', import.meta.url).pathname,
      SHELL: '/bin/bash',
      TERM: 'xterm',
    },
  });

test('no colours in a pipe, with NO_COLOR or with --no-color', async () => {
  const escape = '\u001b[';
  expect((await run(['explain'])).stdout).not.toContain(escape);
  expect((await inTerminal('xcrepl explain 1005')).stdout).toContain(escape);
  expect((await inTerminal('NO_COLOR=1 xcrepl explain 1005')).stdout).not.toContain(escape);
  expect((await inTerminal('xcrepl --no-color explain 1005')).stdout).not.toContain(escape);
});

test('the deadline ends what hangs, with its own exit code', async () => {
  await using files = await folder();
  await files.write('xcrepl.yaml', configWith('cmd:sleep 600; true'));
  const { exit, stderr } = await run(['config', 'validate', '--secrets', '--timeout', '300ms'], {
    cwd: files.path,
  });
  expect(stderr).toContain('XC-7001');
  expect(exit).toBe(10);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends in good order with %d', async (name, code) => {
  await using files = await folder();
  await files.write('xcrepl.yaml', configWith('cmd:echo started >&2; sleep 600; true'));
  await files.write('started.sh', 'touch started; sleep 600; true');
  await files.write('xcrepl.yaml', configWith('cmd:sh started.sh'));
  const running = start(['config', 'validate', '--secrets'], { cwd: files.path });
  const { existsSync } = await import('node:fs');
  while (!existsSync(`${files.path}/started`)) await new Promise((resolve) => setTimeout(resolve, 10));
  running.child.kill(name);
  const { exit, signal, stdout, stderr } = await running.ended;
  expect({ exit, signal, stdout }).toEqual({ exit: code, signal: null, stdout: '' });
  expect(stderr).toContain(`interrupted by ${name}`);
});
