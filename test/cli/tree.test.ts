import { beforeAll, describe, expect, test } from 'vitest';
import type { CommandDescription, TreeDescription } from '../../src/commands/frame/describe.ts';
import { run, shell } from './spawn.ts';

let tree: TreeDescription;
let all: CommandDescription[];
const flatten = (command: CommandDescription): CommandDescription[] => [
  command,
  ...command.commands.flatMap(flatten),
];

beforeAll(async () => {
  const { stdout } = await run(['commands']);
  tree = JSON.parse(stdout) as TreeDescription;
  all = tree.commands.flatMap(flatten);
});

test('every command has help with its description, its options and what it says about itself', async () => {
  expect(all.length).toBeGreaterThan(8);
  for (const command of all) {
    const { exit, stdout, stderr } = await run([...command.path, '--help']);
    const name = command.path.join(' ');
    expect({ name, exit, stderr }).toEqual({ name, exit: 0, stderr: '' });
    expect(stdout, name).toContain(`Usage: xcrepl ${name}`);
    const shown = stdout.replace(/\s+/g, ' ');
    expect(shown, name).toContain(command.description.replace(/\s+/g, ' '));
    for (const option of [...command.options, ...tree.globalOptions])
      expect(stdout, name).toContain(option.flags);
    for (const below of command.commands) expect(shown, name).toContain(below.summary);
  }
});

test('every leaf has two examples that name it, and its exit codes', async () => {
  const leaves = all.filter(({ runs }) => runs);
  expect(leaves.length).toBeGreaterThan(7);
  for (const { path, examples, exits } of leaves) {
    const name = path.join(' ');
    expect(examples.length, name).toBeGreaterThanOrEqual(2);
    for (const { run: line } of examples)
      expect(line.replace(/xcrepl (-\w \S+ )*/, 'xcrepl '), name).toContain(`xcrepl ${name}`);
    expect(exits, name).toContain(0);
    const { stdout } = await run([...path, '--help']);
    expect(stdout, name).toContain('Examples:');
    expect(stdout, name).toContain('Exit codes:');
  }
});

test('every option of an example exists', () => {
  for (const { path, examples, options } of all)
    for (const { run: line } of examples) {
      const own = line.slice(line.indexOf('xcrepl')).split(/ [|>]/)[0] ?? '';
      for (const [flag] of own.matchAll(/(?<=\s)--[a-z][a-z-]*/g)) {
        const known = [...options, ...tree.globalOptions].flatMap(
          ({ flags }) => flags.match(/--[a-z][a-z-]*/g) ?? [],
        );
        expect(known, `${path.join(' ')}: ${line}`).toContain(flag);
      }
    }
});

test('the root, help and a noun alone', async () => {
  const root = await run(['--help']);
  for (const { path, summary } of tree.commands) {
    expect(root.stdout).toContain(path[0]);
    expect(root.stdout).toContain(summary);
  }
  expect((await run(['help', 'config', 'show'])).stdout).toBe(
    (await run(['config', 'show', '--help'])).stdout,
  );
  expect(await run(['config'])).toMatchObject({
    exit: 2,
    stdout: '',
    stderr: expect.stringContaining('a subcommand is needed') as string,
  });
  expect(await run([])).toMatchObject({ exit: 2, stdout: '' });
  expect((await run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

describe('a mistake on the command line is XC-1001, with what was probably meant', () => {
  test.each([
    [['confg'], 'did you mean config?'],
    [['config', 'shwo'], 'did you mean show?'],
    [['config', 'show', '--orign'], 'did you mean --origin?'],
    [['config', 'show', '--outptu', 'json'], 'did you mean --output?'],
    [['explain', '-o', 'xml'], 'Allowed choices are table, json, yaml, ndjson'],
    [['config', 'show', 'something'], 'too many arguments'],
    [['explain', '--timeout', '5'], 'is no duration'],
    [['help', 'confg'], 'did you mean config?'],
  ])('%j', async (args, said) => {
    const { exit, stdout, stderr } = await run(args);
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' });
    expect(stderr).toMatch(/^XC-100[14] /);
    expect(stderr).toContain(said);
  });
});

/** What bash offers after this text. */
const complete = async (line: string): Promise<string[]> => {
  const words = line.split(' ');
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const { stdout, stderr } = await shell(
    `source <(xcrepl completion bash); COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _xcrepl; printf '%s\\n' "\${COMPREPLY[@]}"`,
  );
  expect(stderr).toBe('');
  return stdout.trimEnd().split('\n');
};

describe('completion', () => {
  test('bash completes commands, options and choices', async () => {
    expect(await complete('xcrepl con')).toEqual(['config']);
    expect(await complete('xcrepl config sh')).toEqual(['show']);
    expect(await complete('xcrepl config show --or')).toEqual(['--origin']);
    expect(await complete('xcrepl config show -o ')).toEqual(['table', 'json', 'yaml', 'ndjson']);
    expect(await complete('xcrepl completion f')).toEqual(['fish']);
  });

  test.each(['bash', 'zsh', 'fish'])('%s names every command', async (name) => {
    const { exit, stdout } = await run(['completion', name]);
    expect(exit).toBe(0);
    for (const { path } of all) expect(stdout).toContain(path.at(-1));
  });
});
