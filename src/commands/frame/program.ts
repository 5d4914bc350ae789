/**
 * Builds the commander program for one command line: the root with its global flags, real commands along the path
 * that was typed, and for everything else a name and a summary, which is all that help needs.
 */

import { Command } from '@commander-js/extra-typings';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CommandEntry, Host, Outcome } from './host.ts';
import { addGlobalFlags } from './flags.ts';
import type { TreeNode } from './tree.ts';

export interface Streams {
  readonly out: (text: string) => void;
  readonly columns: () => number;
}

/** The root without commands: enough to read the global flags and the words that name the command. */
export const rootCommand = (version: string, streams: Streams): CommandUnknownOpts => {
  const root: CommandUnknownOpts = new Command('xcrepl')
    .description('Keeps PostgreSQL tables and objects alive across regions and clouds.')
    .version(version, '--version', 'print the version')
    .helpCommand(false);
  addGlobalFlags(root);
  quieten(root, streams);
  return root;
};

/** Commander throws instead of ending the process, and what it would say about mistakes is said by the frame. */
const quieten = (command: CommandUnknownOpts, { out, columns }: Streams): void => {
  command
    .exitOverride()
    .helpOption('-h, --help', 'show this help')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: out,
      writeErr: () => undefined,
      outputError: () => undefined,
      getOutHelpWidth: columns,
      getErrHelpWidth: columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
};

export interface Wiring {
  readonly host: Host;
  readonly finish: (outcome: Outcome) => void;
  readonly streams: Streams;
  /** Whether help may be shown, which lists the commands beside the path. */
  readonly listed: boolean;
}

/** Adds the entries to their parent; those on the path are real, the others are stubs. */
export const attach = (
  parent: CommandUnknownOpts,
  entries: readonly CommandEntry[],
  path: readonly TreeNode[],
  wiring: Wiring,
): void => {
  const [head, ...rest] = path;
  for (const entry of entries) {
    const loaded = entry.name === head?.entry.name ? head : undefined;
    if (!loaded && !wiring.listed) continue;
    const command = loaded
      ? realCommand(loaded, wiring)
      : new Command(entry.name).helpOption(false).description(entry.summary);
    command.summary(entry.summary);
    quieten(command, wiring.streams);
    parent.addCommand(command);
    if (loaded?.module.children) attach(command, loaded.module.children, rest, wiring);
  }
};

/** The command of a module; a noun's own is only its summary and its verbs. */
export const realCommand = (
  { entry, module }: TreeNode,
  { host, finish }: Pick<Wiring, 'host' | 'finish'>,
): CommandUnknownOpts => {
  const command: CommandUnknownOpts =
    module.command?.(host, finish) ?? new Command(entry.name).description(`${entry.summary}.`);
  return command.helpCommand(false);
};
