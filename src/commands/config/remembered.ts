/**
 * Configurations that were checked before, by the content of everything that they were made from. Reading YAML and
 * checking it costs a start as much as Node itself does, so it is done once for each content. What is remembered holds
 * references and no secrets, lies in the user's own cache directory beside the compiled code, and is never needed: any
 * doubt about it means that the configuration is read and checked anew.
 */

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  environmentDocument,
  environmentSettings,
  overrides,
  type Environment,
} from '../../core/config/environment.ts';
import type { CheckedConfig, ConfigSources } from '../../core/config/in-environment.ts';
import { cacheDirectory } from '../../providers/system/cache-directory.ts';
import { configIdentity } from '../../version.ts';

export interface Remembered {
  read(identity: string): CheckedConfig | undefined;
  write(identity: string, checked: CheckedConfig): void;
}

/** Contents that one machine switches between; the oldest are forgotten. */
const MOST_FILES = 32;

/** @returns undefined where there is no place for it, or the program is not a build that knows its own identity */
export const openRemembered = (env: Environment): Remembered | undefined => {
  const base = cacheDirectory(env);
  if (base === undefined || configIdentity() === undefined) return undefined;
  const directory = join(base, 'config');
  return {
    read: (identity) => quietly(() => readOwn(join(directory, `${identity}.json`))),
    write: (identity, checked) =>
      quietly(() => {
        mkdirSync(directory, { recursive: true, mode: 0o700 });
        const path = join(directory, `${identity}.json`);
        const temporary = `${path}.${process.pid}`;
        writeFileSync(temporary, JSON.stringify(checked), { mode: 0o600 });
        renameSync(temporary, path);
        forgetOldest(directory);
      }),
  };
};

/** Everything that the checked configuration depends on, and the build that checked it. */
export const identityOf = ({ project, user, env }: ConfigSources): string | undefined => {
  // Mistakes of the environment are told by the full reading.
  if (environmentSettings(env).mistakes.length > 0) return undefined;
  const made = project ? project.text : environmentDocument(env).document;
  const parts = [configIdentity(), made, user?.text ?? null, [...overrides(env, {})]];
  return contentName(JSON.stringify(parts));
};

/** Offset bases and odd multipliers of the four lanes: the first are those of FNV-1a (Fowler, Noll and Vo). */
const LANES: readonly (readonly [basis: number, multiplier: number])[] = [
  [0x811c9dc5, 0x01000193],
  [0x9e3779b9, 0x85ebca6b],
  [0xc2b2ae35, 0x27d4eb2f],
  [0x165667b1, 0x9e3779b1],
];

/**
 * 128 bits of the text. Whoever could choose texts that share a name could write the configuration itself, so chance is
 * all that it has to stand; a hash of node:crypto costs more than all that is spared here.
 */
const contentName = (text: string): string =>
  LANES.map(([basis, multiplier]) => {
    let hash = basis;
    for (let at = 0; at < text.length; at++) {
      hash = Math.imul(hash ^ text.charCodeAt(at), multiplier);
      hash ^= hash >>> 15;
    }
    return (hash >>> 0).toString(16).padStart(8, '0');
  }).join('');

/** A file that someone else could have written is not believed. */
const readOwn = (path: string): CheckedConfig | undefined => {
  const { uid, mode } = statSync(path);
  if (uid !== process.geteuid?.() || (mode & 0o022) !== 0) return undefined;
  return JSON.parse(readFileSync(path, 'utf8')) as CheckedConfig;
};

const forgetOldest = (directory: string): void => {
  const files = readdirSync(directory).map((name) => join(directory, name));
  if (files.length <= MOST_FILES) return;
  const byAge = files.toSorted((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs);
  for (const path of byAge.slice(0, files.length - MOST_FILES)) rmSync(path, { force: true });
};

/** Nothing that goes wrong here is worth a word: the configuration is then read in full. */
const quietly = <T>(work: () => T): T | undefined => {
  try {
    return work();
  } catch {
    return undefined;
  }
};
