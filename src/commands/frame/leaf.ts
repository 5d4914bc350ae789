/**
 * How a leaf of the command tree is written. A verb has one file, `src/commands/<noun>/<verb>.ts`:
 *
 * ```ts
 * export const show: CommandModule = {
 *   command: (host, finish) =>
 *     leaf({
 *       name: 'show',
 *       about: 'Shows one link with its positions. Reads both databases and writes nothing.',
 *       examples: [
 *         ['xcrepl replication show shop:acme:us-east-1:eu-central-1', 'one link'],
 *         ['xcrepl replication show shop:acme:us-east-1:eu-central-1 -o json', 'the same for a program'],
 *       ],
 *       exits: [0, 2, 4, 5],
 *     })
 *       .argument('<link>', 'rule:tenant:source:target')
 *       .option('--tables', 'also rows and bytes by table')
 *       .action(async (link, options) => {
 *         const { config } = await host.config();
 *         const { readLink } = await import('../../core/replication/link-state.ts');
 *         const found = await readLink(config, link, host.signal);
 *         finish({ document: { schemaVersion: 1, ...found }, table: (paint) => paint.table(['link'], [[link]]) });
 *       }),
 * };
 * ```
 *
 * and an entry in the noun's index, which imports it only when it is called:
 * `{ name: 'show', summary: 'Show one link', load: async () => (await import('./show.ts')).show }`.
 * What only the action needs is imported inside the action, so that `--help` stays quick. The action throws XcError;
 * it never sets an exit code itself: a finished command that found something gives `exit` in its outcome.
 */

import { Command } from '@commander-js/extra-typings';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { EXIT, EXIT_MEANINGS } from '../../core/errors/exit.ts';

/** A command line that works as it stands, and what it does. */
export type Example = readonly [run: string, does: string];

export interface LeafDescription {
  readonly name: string;
  /** What it does, what it reads and writes: one to four sentences. */
  readonly about: string;
  readonly examples: readonly [Example, Example, ...Example[]];
  /** Exit codes that this command can end with, beside 1 and the interruptions; the meanings are the program's. */
  readonly exits?: readonly number[];
  /** A dry run by nature: not even what could be made again is written, such as a remembered configuration. */
  readonly writesNothing?: boolean;
}

const described = new WeakMap<object, LeafDescription>();

export const leaf = (description: LeafDescription): Command => {
  const command = new Command(description.name).description(description.about);
  command.addHelpText('after', () => `\n${closing(description)}`);
  described.set(command, description);
  return command;
};

/** What `leaf` was given, for `commands` and the generated reference; undefined for a command made otherwise. */
export const descriptionOf = (command: CommandUnknownOpts): LeafDescription | undefined =>
  described.get(command);

export const exitsOf = ({ exits }: LeafDescription): readonly number[] => exits ?? [EXIT.done, EXIT.usage];

const closing = (description: LeafDescription): string => {
  const lines = ['Examples:'];
  for (const [run, does] of description.examples) lines.push(`  # ${does}`, `  $ ${run}`);
  lines.push('', 'Exit codes:');
  for (const code of exitsOf(description))
    lines.push(`  ${String(code).padEnd(4)}${EXIT_MEANINGS[code] ?? ''}`);
  return lines.join('\n');
};
