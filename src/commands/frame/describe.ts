/** The command tree as data, read from the commands themselves: for `commands`, `completion` and docs/cli.md. */

import type { CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import type { CommandEntry, Host } from './host.ts';
import { descriptionOf, exitsOf } from './leaf.ts';
import { realCommand, rootCommand } from './program.ts';
import { loadTree, type Branch } from './tree.ts';

export interface OptionDescription {
  readonly flags: string;
  readonly name: string;
  readonly short: string | null;
  readonly description: string;
  readonly type: 'boolean' | 'string';
  /** Whether the option takes a value, and must have one. */
  readonly value: 'none' | 'optional' | 'required';
  readonly repeatable: boolean;
  readonly mandatory: boolean;
  readonly choices: readonly string[] | null;
  readonly default: unknown;
}

export interface ArgumentDescription {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  readonly repeatable: boolean;
  readonly choices: readonly string[] | null;
}

export interface CommandDescription {
  /** Without the program's name: ["replication", "run"]. */
  readonly path: readonly string[];
  readonly usage: string;
  readonly summary: string;
  readonly description: string;
  /** False for a noun that only holds verbs. */
  readonly runs: boolean;
  readonly arguments: readonly ArgumentDescription[];
  readonly options: readonly OptionDescription[];
  readonly examples: readonly { readonly run: string; readonly does: string }[];
  readonly exits: readonly number[];
  readonly commands: readonly CommandDescription[];
}

export interface TreeDescription {
  readonly schemaVersion: 1;
  readonly version: string;
  readonly globalOptions: readonly OptionDescription[];
  readonly commands: readonly CommandDescription[];
}

export const describeTree = async (
  entries: readonly CommandEntry[],
  host: Host,
): Promise<TreeDescription> => {
  const root = rootCommand(host.version, { out: () => undefined, columns: () => 100 });
  return {
    schemaVersion: 1,
    version: host.version,
    globalOptions: root.options.map(describeOption),
    commands: (await loadTree(entries)).map((branch) => describeBranch(branch, host)),
  };
};

const describeBranch = (branch: Branch, host: Host): CommandDescription => {
  const command = realCommand(branch, { host, finish: () => undefined });
  const leaf = descriptionOf(command);
  return {
    path: branch.path,
    usage: ['xcrepl', ...branch.path, usageOf(command, branch)].join(' ').trimEnd(),
    summary: branch.entry.summary,
    description: command.description(),
    runs: branch.module.command !== undefined,
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      description: argument.description,
      required: argument.required,
      repeatable: argument.variadic,
      choices: argument.argChoices ?? null,
    })),
    options: command.options.filter(({ hidden }) => !hidden).map(describeOption),
    examples: (leaf?.examples ?? []).map(([run, does]) => ({ run, does })),
    exits: leaf ? exitsOf(leaf) : [],
    commands: branch.children.map((child) => describeBranch(child, host)),
  };
};

const usageOf = (command: CommandUnknownOpts, { children }: Branch): string =>
  `${command.usage()}${children.length > 0 ? ' [command]' : ''}`;

const describeOption = (option: Option): OptionDescription => ({
  flags: option.flags,
  name: option.long ?? option.flags,
  short: option.short ?? null,
  description: option.description,
  type: option.isBoolean() ? 'boolean' : 'string',
  value: option.required ? 'required' : option.optional ? 'optional' : 'none',
  repeatable: option.variadic,
  mandatory: option.mandatory,
  choices: option.argChoices ?? null,
  default: option.defaultValue ?? null,
});
