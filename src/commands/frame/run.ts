/** One command line from its words to its outcome: parse, find the command, run it, render what it found. */

import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { XcError } from '../../core/errors/xc-error.ts';
import { EXIT } from '../../core/errors/exit.ts';
import { nearest } from '../../core/errors/suggest.ts';
import { tree } from '../index.ts';
import { readGlobalFlags } from './flags.ts';
import type { GlobalFlags, Outcome } from './host.ts';
import { descriptionOf } from './leaf.ts';
import { makeHost, type HostParts } from './make-host.ts';
import { attach, rootCommand } from './program.ts';
import type { Stopper } from './stopper.ts';
import { findPath, type TreeNode } from './tree.ts';
import { asUsage } from './usage.ts';

export interface RunParts extends Omit<HostParts, 'flags' | 'writesNothing'> {
  readonly columns: () => number;
}

export interface Ran {
  readonly flags: GlobalFlags;
  readonly exit: number;
  readonly error?: unknown;
}

export const runCommandLine = async (argv: readonly string[], parts: RunParts): Promise<Ran> => {
  const streams = { out: parts.writeOut, columns: parts.columns };
  const root = rootCommand(parts.version, streams);
  let typed = 'xcrepl';
  try {
    const args = helpAsFlag(argv);
    const words = root.parseOptions([...args]).operands;
    const path = await findPath(tree, words);
    typed = ['xcrepl', ...path.map(({ entry }) => entry.name)].join(' ');
    refuseUnknown(words[path.length], path, typed);
    const exit = await execute(root, path, args, parts);
    return { flags: flagsOf(root), exit };
  } catch (error) {
    const usage = asUsage(error, typed);
    if (usage === 'shown') return { flags: flagsOf(root), exit: EXIT.done };
    return { flags: flagsOf(root), exit: EXIT.bug, error: usage ?? error };
  }
};

/** `xcrepl help replication run` is `xcrepl replication run --help`. */
const helpAsFlag = (argv: readonly string[]): readonly string[] =>
  argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv;

/** A word that names no command, where only commands can follow. Commander would let it pass before --help. */
const refuseUnknown = (word: string | undefined, path: readonly TreeNode[], typed: string): void => {
  const last = path.at(-1)?.module;
  if (word === undefined || last?.command) return;
  const suggestion = nearest(
    word,
    (last?.children ?? tree).map(({ name }) => name),
  );
  throw new XcError('XC-1001', {
    subject: `unknown command '${word}'`,
    ...(suggestion === undefined ? {} : { why: `did you mean ${suggestion}?` }),
    next: `${typed} --help`,
  });
};

const flagsOf = (root: CommandUnknownOpts): GlobalFlags => readGlobalFlags(root.opts());

const execute = async (
  root: CommandUnknownOpts,
  path: readonly TreeNode[],
  args: readonly string[],
  parts: RunParts,
): Promise<number> => {
  const flags = flagsOf(root);
  let running: CommandUnknownOpts | undefined;
  root.hook('preAction', (_root, command) => {
    running = command;
  });
  const writesNothing = (): boolean =>
    running !== undefined && descriptionOf(running)?.writesNothing === true;
  const host = makeHost({ ...parts, flags, writesNothing });
  let outcome: Outcome | undefined;
  const finish = (found: Outcome): void => {
    outcome = found;
  };
  const listed = args.some((arg) => arg === '-h' || arg === '--help') || !path.at(-1)?.module.command;
  const streams = { out: parts.writeOut, columns: parts.columns };
  attach(root, tree, path, { host, finish, streams, listed });

  const deadline = startDeadline(flags.timeoutMs, parts.stopper);
  try {
    await root.parseAsync(args, { from: 'user' });
  } finally {
    await host.audit.close();
    clearTimeout(deadline);
  }
  if (!outcome) return EXIT.done;
  const { renderOutcome } = await import('../render/outcome.ts');
  const color = flags.color && host.terminal.stdout && !parts.env['NO_COLOR'];
  parts.writeOut(await renderOutcome(outcome, { output: flags.output, color, redactor: parts.redactor }));
  return outcome.exit ?? EXIT.done;
};

/** A longer timer would fire at once (Node.js, "setTimeout"): 24.8 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const startDeadline = (ms: number | undefined, stopper: Stopper): NodeJS.Timeout | undefined => {
  if (ms === undefined) return undefined;
  const passed = (): void => stopper.stop(new XcError('XC-7001', { subject: `--timeout ${ms} ms` }));
  return setTimeout(passed, Math.min(ms, LONGEST_TIMER_MS));
};
