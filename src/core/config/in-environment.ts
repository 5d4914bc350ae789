/** What a checked configuration means in an environment: live or simulated, and what simulation lacks. */

import type { ConfigFile } from './document.ts';
import { environmentSettings, hasDsn, isSet, WISHED_FOR, type Environment } from './environment.ts';
import type { LoadedConfig } from './loaded.ts';
import { referencesOf } from './references.ts';
import type { Config } from './schema.ts';

export interface ConfigSources {
  readonly project: ConfigFile | null;
  readonly user: ConfigFile | null;
  readonly env: Environment;
}

export interface CheckedConfig {
  readonly config: Config;
  readonly digest: string;
}

export const inEnvironment = (checked: CheckedConfig, sources: ConfigSources): LoadedConfig => {
  const { project, env } = sources;
  const settings = environmentSettings(env);
  const simulation = settings.simulation || (project ? checked.config.environment === 'lab' : !hasDsn(env));
  return {
    ...checked,
    path: project?.path ?? null,
    mode: simulation ? 'simulation' : 'live',
    missing: simulation ? missingOf(checked.config, sources) : [],
    replicationWindowMs: settings.replicationWindowMs,
  };
};

/** Names of what simulation does without: references that point to nothing, or all that could have been given. */
const missingOf = (config: Config, { project, env }: ConfigSources): string[] => {
  if (!project) return WISHED_FOR.filter((name) => !isSet(env, name));
  const names = new Set<string>();
  for (const reference of referencesOf(config)) {
    const name = /^env:(.+)$/.exec(reference)?.[1];
    if (name !== undefined && !isSet(env, name)) names.add(name);
  }
  return [...names].toSorted();
};
