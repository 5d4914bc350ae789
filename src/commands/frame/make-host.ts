/** Makes the Host that commands get; what costs time to load is loaded when it is first asked for. */

import type { Clock, Random } from '../../core/time/clock.ts';
import type { LoadedConfig } from '../../core/config/loaded.ts';
import { createRecorder } from '../audit/recorder.ts';
import { createNarrator } from './narrator.ts';
import type { GlobalFlags, Host } from './host.ts';
import type { Redactor } from './redactor.ts';
import { createProgress } from './progress.ts';
import type { Stopper } from './stopper.ts';

export interface HostParts {
  readonly flags: GlobalFlags;
  readonly clock: Clock;
  readonly random: Random;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly version: string;
  readonly commit: string;
  readonly terminal: Host['terminal'];
  readonly stopper: Stopper;
  readonly redactor: Redactor;
  /** Write text to the streams, already redacting. */
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
  /** Whether the command that runs promises to write nothing anywhere. */
  readonly writesNothing: () => boolean;
  /** What would be left behind if the process ended at once. */
  readonly leftovers: Set<string>;
}

export const makeHost = (parts: HostParts): Host => {
  const { flags, env, cwd, redactor, writeOut, writeErr, leftovers } = parts;
  let loaded: Promise<LoadedConfig> | undefined;
  const secret = async (reference: string): Promise<string> => {
    const { secretValue } = await import('../config/secret.ts');
    return secretValue(reference, {
      env,
      cwd,
      signal: parts.stopper.signal,
      loaded: await loaded,
      hide: (value) => redactor.add(value),
    });
  };
  const host: Host = {
    flags,
    clock: parts.clock,
    random: parts.random,
    narrator: createNarrator(flags, writeErr),
    env,
    cwd,
    version: parts.version,
    commit: parts.commit,
    terminal: parts.terminal,
    get signal() {
      return parts.stopper.signal;
    },
    config: () => (loaded ??= loadConfig(parts)),
    secret,
    print: (line) => writeOut(`${line}\n`),
    redact: (text) => redactor.text(text),
    audit: createRecorder(() => host),
    progress: (name) => createProgress(name, { ...parts, write: writeErr }),
    leaves: (what) => {
      leftovers.add(what);
      return () => void leftovers.delete(what);
    },
  };
  return host;
};

const loadConfig = async ({ flags, env, cwd, clock, writesNothing }: HostParts): Promise<LoadedConfig> => {
  const { loadConfiguration } = await import('../config/load.ts');
  return loadConfiguration({
    flag: flags.config,
    env,
    cwd,
    mayWrite: !flags.dryRun && !writesNothing(),
    nowMs: () => clock.nowMs(),
  });
};
