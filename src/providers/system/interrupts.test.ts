import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** Starts a program that goes on after the first interruption, as work that cannot end quickly does. */
const stubborn = () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'interrupts.fixture.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  const waiting = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    for (const check of waiting) check();
  });
  return {
    child,
    until: (text: string) =>
      new Promise<void>((resolve) => {
        const check = (): void => {
          if (said.includes(text)) resolve();
        };
        waiting.add(check);
        check();
      }),
    ended: new Promise<string>((resolve) => {
      child.on('close', (code, signal) => resolve(`${said}${code ?? signal}`));
    }),
  };
};

test.each(['SIGINT', 'SIGTERM'] as const)(
  'a second %s ends the process at once, by that signal',
  async (name) => {
    const { child, until, ended } = stubborn();
    await until('ready');
    child.kill(name);
    await until('first');
    await until('later');
    child.kill(name);
    expect(await ended).toBe(`ready first ${name} later second ${name} ${name}`);
  },
);

test('the same interruption, told to process and group, counts once', async () => {
  const { child, until, ended } = stubborn();
  await until('ready');
  child.kill('SIGINT');
  await until('first');
  child.kill('SIGINT');
  await until('later');
  child.kill('SIGKILL');
  expect(await ended).toBe('ready first SIGINT later SIGKILL');
});
