import { chmod, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configWith, folder, run, type Folder } from './spawn.ts';

/** `precheck` and `replication status` would connect; validate only loads. */
const validate = async (files: Folder, ...args: string[]) => {
  const { stdout, stderr } = await run(['config', 'validate', '-o', 'json', ...args], {
    cwd: files.path,
    env: { XDG_CACHE_HOME: join(files.path, 'cache'), DSN: 'postgres://u:planted@h/d' },
  });
  if (stdout === '') return stderr;
  return JSON.parse(stdout) as { readonly digest: string; readonly regions: number };
};

const remembered = async (files: Folder): Promise<string[]> => {
  const directory = join(files.path, 'cache/xcrepl/config');
  const names = await readdir(directory).catch(() => []);
  return names.map((name) => join(directory, name));
};

test('a configuration is read again only when its content changes, and gives the same either way', async () => {
  await using files = await folder();
  await files.write('xcrepl.yaml', configWith('env:DSN'));
  const first = await validate(files, '--secrets');
  const [path = ''] = await remembered(files);
  const text = await readFile(path, 'utf8');
  expect(text).not.toContain('planted');
  expect(await validate(files)).toMatchObject({ digest: (first as { digest: string }).digest });

  // What is remembered is really used: a change to it shows.
  const changed = JSON.parse(text) as { config: { regions: Record<string, unknown> } };
  changed.config.regions['second'] = { zone: 'x', initialRole: 'replica' };
  await writeFile(path, JSON.stringify(changed));
  expect(await validate(files)).toMatchObject({ regions: 2 });

  await files.write('xcrepl.yaml', `${configWith('env:DSN')}# another content\n`);
  expect(await validate(files)).toMatchObject({ regions: 1 });
  expect(await remembered(files)).toHaveLength(2);
});

test('what is broken, or someone else could have written, is not believed', async () => {
  await using files = await folder();
  await files.write('xcrepl.yaml', configWith('env:DSN'));
  await validate(files);
  const [path = ''] = await remembered(files);
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.slice(0, 40));
  expect(await validate(files)).toMatchObject({ regions: 1 });
  await writeFile(path, text.replace('"us-east-1"', '"changed"'));
  await chmod(path, 0o666);
  expect(await validate(files)).toMatchObject({ regions: 1 });
});

test('a mistake is told every time', async () => {
  await using files = await folder();
  await files.write('xcrepl.yaml', configWith('literal'));
  for (let time = 0; time < 2; time++) expect(await validate(files)).toContain('XC-1002');
  expect(await remembered(files)).toEqual([]);
});

test('a dry run remembers nothing', async () => {
  await using files = await folder();
  await files.write('xcrepl.yaml', configWith('env:DSN'));
  await validate(files, '--dry-run');
  expect(await remembered(files)).toEqual([]);
});

test('the oldest are forgotten', async () => {
  await using files = await folder();
  await files.write('xcrepl.yaml', configWith('env:DSN'));
  await validate(files);
  const [first = ''] = await remembered(files);
  await utimes(first, 1, 1);
  for (let number = 0; number < 40; number++) await writeFile(join(first, '..', `${number}.json`), '{}');
  await files.write('xcrepl.yaml', `${configWith('env:DSN')}# another\n`);
  await validate(files);
  const left = await remembered(files);
  expect(left).toHaveLength(32);
  expect(left).not.toContain(first);
});
