/** `xcrepl config show`: what this run would go by, and where each value came from. */

import type { TracedConfig } from '../../core/config/loaded.ts';
import { leaf } from '../frame/leaf.ts';
import type { CommandModule, Host, Outcome } from '../frame/host.ts';

export const show: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'show',
      about:
        'Prints the effective configuration: flags before environment before project file before user file before defaults. Secrets are shown as the references that name them and never resolved. Reads the two files and the environment; connects to nothing.',
      examples: [
        ['xcrepl config show', 'the whole configuration as YAML'],
        ['xcrepl config show --origin', 'every value with the place that it came from'],
        ['xcrepl config show -o json', 'for a program'],
      ],
    })
      .option('--origin', 'each value on a line of its own, with its source')
      .action(async ({ origin }) => finish(origin ? await withOrigins(host) : await whole(host))),
};

/** Origins and what was written are kept only while a configuration is parsed, so that is done again here. */
const traced = async ({ flags, env, cwd }: Host): Promise<TracedConfig> => {
  const { traceConfiguration } = await import('./load.ts');
  return traceConfiguration({ flag: flags.config, env, cwd });
};

const whole = async (host: Host): Promise<Outcome> => {
  const loaded = await traced(host);
  const { effectiveConfig } = await import('../../core/config/effective.ts');
  const config = effectiveConfig(loaded) as object;
  const { mode, missing, path, digest, replicationWindowMs } = loaded;
  return {
    document: { schemaVersion: 1, path, mode, missing, digest, replicationWindowMs, config },
    table: async (paint) => {
      const { stringify } = await import('yaml');
      const head = [
        `# ${path ?? 'the environment alone'}; mode ${mode}`,
        ...(missing.length > 0 ? [`# missing: ${missing.join(', ')}`] : []),
      ];
      return `${head.map((line) => paint.dim(line)).join('\n')}\n${stringify(config, { lineWidth: 0 }).trimEnd()}`;
    },
  };
};

const withOrigins = async (host: Host): Promise<Outcome> => {
  const loaded = await traced(host);
  const { leavesOf } = await import('../../core/config/effective.ts');
  const values = leavesOf(loaded);
  return {
    document: { schemaVersion: 1, path: loaded.path, mode: loaded.mode, values },
    records: values,
    table: (paint) =>
      paint.table(
        ['key', 'value', 'source'],
        values.map(({ path, value, origin }) => [path, String(value), origin]),
      ),
  };
};
