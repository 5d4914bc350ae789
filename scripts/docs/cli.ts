/** docs/cli.md from the command tree. */

import {
  describeTree,
  type CommandDescription,
  type OptionDescription,
} from '../../src/commands/frame/describe.ts';
import { makeHost } from '../../src/commands/frame/make-host.ts';
import { createRedactor } from '../../src/commands/frame/redactor.ts';
import { createStopper } from '../../src/commands/frame/stopper.ts';
import { tree } from '../../src/commands/index.ts';
import { EXIT_MEANINGS } from '../../src/core/errors/exit.ts';
import { GENERATED, page, table } from './markdown.ts';

export const cliReference = async (): Promise<string> => {
  const { commands, globalOptions } = await describeTree(tree, inertHost());
  const all = commands.flatMap(flatten);
  return page([
    GENERATED,
    '# Command line',
    table(
      ['command', 'what it does'],
      all.filter(({ runs }) => runs).map(({ path, summary }) => [link(path), summary]),
    ),
    '## Global options',
    'Before or after the subcommand.',
    optionTable(globalOptions),
    ...all.filter(({ runs }) => runs).flatMap(section),
  ]);
};

const flatten = (command: CommandDescription): CommandDescription[] => [
  command,
  ...command.commands.flatMap(flatten),
];

const link = (path: readonly string[]): string => `[\`${path.join(' ')}\`](#xcrepl-${path.join('-')})`;

const section = ({
  path,
  usage,
  description,
  arguments: args,
  options,
  examples,
  exits,
}: CommandDescription): string[] => [
  `## xcrepl ${path.join(' ')}`,
  description,
  `\`\`\`\n${usage}\n\`\`\``,
  args.length > 0
    ? table(
        ['argument', ''],
        args.map(({ name, description }) => [`\`${name}\``, description]),
      )
    : '',
  options.length > 0 ? optionTable(options) : '',
  examples.length > 0
    ? `\`\`\`sh\n${examples.map(({ run, does }) => `# ${does}\n${run}`).join('\n')}\n\`\`\``
    : '',
  exits.length > 0
    ? `Exit codes: ${exits.map((exit) => `${exit} (${EXIT_MEANINGS[exit] ?? ''})`).join(', ')}.`
    : '',
];

const optionTable = (options: readonly OptionDescription[]): string =>
  table(
    ['option', '', 'default'],
    options.map((option) => [
      `\`${option.flags}\``,
      `${option.description}${option.choices ? `: ${option.choices.join(', ')}` : ''}${option.mandatory ? ' (required)' : ''}`,
      option.default === null || (option.type === 'boolean' && option.default === true)
        ? ''
        : `\`${JSON.stringify(option.default)}\``,
    ]),
  );

/** Commands are only described here, never run: nothing asks this host for anything. */
const inertHost = () =>
  makeHost({
    flags: {
      config: undefined,
      output: 'table',
      quiet: true,
      verbose: false,
      color: false,
      progress: 'none',
      timeoutMs: undefined,
      lockTimeoutMs: undefined,
      input: false,
      yes: false,
      dryRun: false,
      metricsTextfile: undefined,
    },
    clock: { nowMs: () => 0, sleep: () => Promise.resolve() },
    random: { next: () => 0 },
    env: {},
    cwd: '/',
    version: '',
    commit: '',
    terminal: { stdout: false, stderr: false, canAsk: false },
    stopper: createStopper(),
    redactor: createRedactor(),
    writeOut: () => undefined,
    writeErr: () => undefined,
    leftovers: new Set(),
    writesNothing: () => true,
  });
