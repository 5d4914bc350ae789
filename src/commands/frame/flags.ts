/** The global flags: accepted before and after the subcommand, and read once into GlobalFlags. */

import { Option } from '@commander-js/extra-typings';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { parseDuration } from '../../core/config/quantity.ts';
import type { GlobalFlags } from './host.ts';

export const OUTPUTS = ['table', 'json', 'yaml', 'ndjson'] as const;
export const PROGRESS = ['auto', 'bar', 'plain', 'none'] as const;

const duration =
  (flag: string) =>
  (text: string): number =>
    parseDuration(text, flag);

const globalOptions = (): Option[] => [
  new Option('-c, --config <file>', 'configuration file (default: xcrepl.yaml here, or XCREPL_CONFIG)'),
  new Option('-o, --output <form>', 'form of the result on standard output')
    .choices(OUTPUTS)
    .default('table'),
  new Option('-q, --quiet', 'no narration on standard error, only errors'),
  new Option('-v, --verbose', 'more narration, and stack traces with errors'),
  new Option('--no-color', 'no colours (also: NO_COLOR, or not a terminal)'),
  new Option('--progress <mode>', 'progress on standard error').choices(PROGRESS).default('auto'),
  new Option('--timeout <duration>', 'stop in good order after this time, with exit code 10').argParser(
    duration('--timeout'),
  ),
  new Option('--lock-timeout <duration>', 'wait this long for a lock that another run holds').argParser(
    duration('--lock-timeout'),
  ),
  new Option('--no-input', 'never ask; what needs an answer ends with exit code 13'),
  new Option('-y, --yes', 'answer yes to questions, except where --confirm is required'),
  new Option('-n, --dry-run', 'say what would be done and write nothing'),
  new Option('--metrics-textfile <file>', 'write metrics to this file for node_exporter'),
];

export const addGlobalFlags = (program: CommandUnknownOpts): void => {
  for (const option of globalOptions()) program.addOption(option.helpGroup('Global options:'));
};

/** @param values what commander parsed for the root command */
export const readGlobalFlags = (values: Readonly<Record<string, unknown>>): GlobalFlags => ({
  config: values['config'] as string | undefined,
  output: values['output'] as GlobalFlags['output'],
  quiet: values['quiet'] === true,
  verbose: values['verbose'] === true,
  color: values['color'] !== false,
  progress: values['progress'] as GlobalFlags['progress'],
  timeoutMs: values['timeout'] as number | undefined,
  lockTimeoutMs: values['lockTimeout'] as number | undefined,
  input: values['input'] !== false,
  yes: values['yes'] === true,
  dryRun: values['dryRun'] === true,
  metricsTextfile: values['metricsTextfile'] as string | undefined,
});
