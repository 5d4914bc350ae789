/** `xcrepl commands`: the command tree for programs. */

import { describeTree, type CommandDescription } from './frame/describe.ts';
import { leaf } from './frame/leaf.ts';
import type { CommandModule } from './frame/host.ts';

export const commands: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'commands',
      about:
        'Prints every command with its summary, arguments, options, defaults, examples and exit codes as JSON, made from the commands themselves. With -o yaml or ndjson in that form.',
      examples: [
        ['xcrepl commands', 'the whole tree'],
        ['xcrepl commands -o ndjson | grep \'"run"\'', 'one line a command'],
      ],
      exits: [0, 2],
    }).action(async () => {
      const { tree } = await import('./index.ts');
      const document = await describeTree(tree, host);
      finish({
        document,
        records: document.commands.flatMap(flatten),
        table: () => JSON.stringify(document, null, 2),
      });
    }),
};

const flatten = (command: CommandDescription): object[] => {
  const { commands: below, ...own } = command;
  return [own, ...below.flatMap(flatten)];
};
