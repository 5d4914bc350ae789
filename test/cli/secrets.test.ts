import { expect, test } from 'vitest';
import { configWith, folder, run } from './spawn.ts';

const PLANTED = 'pl4nted"s3cret/ü';
const DSN = `postgres://repl:${encodeURIComponent(PLANTED)}@127.0.0.1:1/shop`;
const FORMS = [PLANTED, encodeURIComponent(PLANTED), JSON.stringify(PLANTED).slice(1, -1)];

/** The forms of the secret that a text shows. */
const shown = (text: string): string[] => FORMS.filter((form) => text.includes(form));

test('no output of any command shows a planted secret', async () => {
  await using files = await folder();
  await files.write('xcrepl.yaml', configWith('env:PLANTED_DSN'));
  await files.write('literal.yaml', configWith(DSN));
  await files.write('unquoted.yaml', `controlPlane: ${DSN}\n? ${DSN}\n: {${DSN}\n`);
  const env = { PLANTED_DSN: DSN, POSTGRES_DSN_PRIMARY: DSN, VAULT_TOKEN: PLANTED };
  for (const args of [
    ['config', 'show'],
    ['config', 'show', '--origin'],
    ['config', 'validate', '--secrets'],
    ['precheck', '--timeout', '5s'],
    ['-c', 'literal.yaml', 'config', 'show'],
    ['-c', 'literal.yaml', 'config', 'validate'],
    ['-c', 'unquoted.yaml', 'config', 'validate'],
    ['-c', DSN, 'config', 'show'],
    ['explain', DSN],
  ])
    for (const form of ['table', 'json', 'yaml', 'ndjson']) {
      const { stdout, stderr } = await run([...args, '-o', form, '-v'], { cwd: files.path, env });
      expect(shown(`${stdout}${stderr}`), args.join(' ')).toEqual([]);
    }
});

test('a missing secret is an error with its reference, never a simulation', async () => {
  await using files = await folder();
  await files.write('xcrepl.yaml', configWith('env:NOT_THERE'));
  const { exit, stderr } = await run(['config', 'validate', '--secrets'], { cwd: files.path });
  expect(exit).toBe(2);
  expect(stderr).toContain('XC-1005 secret is missing: env:NOT_THERE');
  expect(JSON.parse((await run(['config', 'show', '-o', 'json'], { cwd: files.path })).stdout)).toMatchObject(
    { mode: 'live' },
  );
});
