/** Finds and loads the configuration of this run: project file, user file and environment, in that order of strength. */

import { inEnvironment, type ConfigSources } from '../../core/config/in-environment.ts';
import type { LoadedConfig, TracedConfig } from '../../core/config/loaded.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { isErrno } from '../../core/errors/errno.ts';
import { readTextNow } from '../../providers/system/files.ts';
import { identityOf, openRemembered } from './remembered.ts';
import { homedir } from 'node:os';
import { isAbsolute, join, relative, resolve } from 'node:path';

export interface LoadOptions {
  /** --config */
  readonly flag: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** False for commands that promise to write nothing anywhere. */
  readonly mayWrite?: boolean;
  /** Of signed pointers that expire. */
  readonly nowMs?: () => number;
}

export const PROJECT_FILE = 'xcrepl.yaml';

/** @throws XcError XC-1002 with every mistake in it, XC-1003, and what signed manifests give (commands/policy/manifests) */
export const loadConfiguration = async (options: LoadOptions): Promise<LoadedConfig> => {
  const loaded = await readConfiguration(options);
  if (loaded.config.signing?.manifests === undefined) return loaded;
  const { inForce } = await import('../policy/manifests.ts');
  return await inForce(loaded, { cwd: options.cwd, nowMs: (options.nowMs ?? Date.now)() });
};

const readConfiguration = async (options: LoadOptions): Promise<LoadedConfig> => {
  const sources = readSources(options);
  const remembered = openRemembered(options.env);
  const identity = remembered && identityOf(sources);
  const known = identity && remembered.read(identity);
  if (known) return inEnvironment(known, sources);
  const traced = await parse(sources);
  if (identity && options.mayWrite)
    remembered.write(identity, { config: traced.config, digest: traced.digest });
  return traced;
};

/** The same with origins, always parsed anew. @throws XcError XC-1002, XC-1003 */
export const traceConfiguration = (options: LoadOptions): Promise<TracedConfig> =>
  parse(readSources(options));

const parse = async (sources: ConfigSources): Promise<TracedConfig> => {
  const { parseConfiguration } = await import('../../core/config/parse.ts');
  return parseConfiguration(sources);
};

const readSources = ({ flag, env, cwd }: LoadOptions): ConfigSources => {
  const named = flag ?? (env['XCREPL_CONFIG'] || undefined);
  const projectPath = resolve(cwd, named ?? PROJECT_FILE);
  return {
    project: readFile(projectPath, named !== undefined, cwd),
    user: readFile(userFile(env), false, cwd),
    env,
  };
};

/** XDG Base Directory Specification: $XDG_CONFIG_HOME, or ~/.config where it is unset or not absolute. */
const userFile = (env: LoadOptions['env']): string => {
  const base = env['XDG_CONFIG_HOME'];
  return join(base && isAbsolute(base) ? base : join(homedir(), '.config'), 'xcrepl', 'config.yaml');
};

const readFile = (path: string, required: boolean, cwd: string): ConfigSources['project'] => {
  const near = relative(cwd, path);
  const name = near === '' || near.startsWith('..') ? path : near;
  try {
    const text = readTextNow(path);
    if (text !== null) return { path, name, text };
  } catch (error) {
    const why = isErrno(error) ? error.code : String(error);
    throw new XcError('XC-1003', { subject: name, ...(why === undefined ? {} : { why }), cause: error });
  }
  if (required) throw new XcError('XC-1003', { subject: name, why: 'there is no such file' });
  return null;
};
