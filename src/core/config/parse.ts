/**
 * From what was read (project file, user file, environment) to the one configuration that the program sees. Every
 * mistake is collected, with file, line and column, before anything is thrown.
 */

import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { XcError } from '../errors/xc-error.ts';
import { crossCheck } from './cross-check.ts';
import type { ConfigDocument, ConfigFile } from './document.ts';
import { environmentDocument, environmentSettings, isRecord, overrides } from './environment.ts';
import { mistakesOf } from './issues.ts';
import { valueAt, visitLeaves } from './leaves.ts';
import { inEnvironment, type ConfigSources } from './in-environment.ts';
import type { TracedConfig } from './loaded.ts';
import { mistakeText, pathText, type Mistake, type PlacedMistake } from './mistake.ts';
import { configSchema, userConfigSchema, type Config } from './schema.ts';
import { withStandIns } from './stand-ins.ts';

type Path = Mistake['path'];

/** The document that is validated, and where each of its top-level keys came from. */
interface Merged {
  readonly value: unknown;
  place(path: Path, atKey?: boolean): Omit<PlacedMistake, 'path' | 'message'>;
  origin(path: Path): string;
}

/** @throws XcError XC-1002, with `facts.mistakes` in the order of the document */
export const parseConfiguration = async (sources: ConfigSources): Promise<TracedConfig> => {
  const mistakes: PlacedMistake[] = environmentSettings(sources.env).mistakes.map(
    ({ variable, message }) => ({
      file: `environment ${variable}`,
      path: '',
      message,
    }),
  );
  const merged = await merge(sources, mistakes);
  const config = merged && validate(merged, mistakes);
  if (!config || mistakes.length > 0) throw refusal(mistakes);
  const digest = `sha256:${createHash('sha256')
    .update(canonicalize(config) ?? '')
    .digest('hex')}`;
  return {
    ...inEnvironment({ config, digest }, sources),
    origin: originLookup(config, merged),
    written: merged.value,
  };
};

const refusal = (mistakes: readonly PlacedMistake[]): XcError => {
  const sorted = mistakes.toSorted(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  );
  const count = sorted.length === 1 ? '1 mistake' : `${sorted.length} mistakes`;
  return new XcError('XC-1002', {
    subject: count,
    why: sorted.map(mistakeText).join('\n'),
    facts: { mistakes: sorted },
  });
};

const merge = async (
  { project, user, env }: ConfigSources,
  mistakes: PlacedMistake[],
): Promise<Merged | undefined> => {
  const own = await readIfGiven(project, mistakes);
  const defaults = await readIfGiven(user, mistakes);
  if (own === 'broken' || defaults === 'broken') return undefined;
  if (user && defaults) checkUserFile(user, defaults, mistakes);

  const environment = project ? null : environmentDocument(env);
  const base = environment?.document ?? own?.value;
  const below = isRecord(defaults?.value) ? defaults.value : {};
  const above = overrides(env, { ...below, ...(isRecord(base) ? base : {}) });
  // What is no map is left as it is, for the schema to say so.
  const value = isRecord(base)
    ? { ...below, ...base, ...Object.fromEntries([...above].map(([key, { value }]) => [key, value])) }
    : base;

  const sourceOf = (path: Path): { readonly name: string; readonly document: ConfigDocument | null } => {
    const key = String(path[0] ?? '');
    const variable = above.get(key)?.variable;
    if (variable !== undefined && !(key === 'vault' && path[1] === 'token'))
      return { name: `environment ${variable}`, document: null };
    if (isRecord(base) && Object.hasOwn(base, key)) {
      if (project && own) return { name: project.name, document: own };
      const variable = environment?.variables.get(String(path[1] ?? ''));
      return { name: variable === undefined ? 'default' : `environment ${variable}`, document: null };
    }
    if (user && defaults && Object.hasOwn(below, key)) return { name: user.name, document: defaults };
    return project && own ? { name: project.name, document: own } : { name: 'environment', document: null };
  };
  return {
    value,
    place: (path, atKey) => {
      const { name, document } = sourceOf(path);
      return { file: name, ...document?.place(path, atKey) };
    },
    origin: (path) => {
      const { name, document } = sourceOf(path);
      if (!document) return environmentOrigin(valueAt(value, path)) ?? name;
      const { line, column } = document.place(path);
      return `${name}:${line}:${column}`;
    },
  };
};

/** In a document made from the environment, a reference is its own origin. */
const environmentOrigin = (value: unknown): string | undefined =>
  typeof value === 'string' && value.startsWith('env:') ? `environment ${value.slice(4)}` : undefined;

const readIfGiven = async (
  file: ConfigFile | null,
  mistakes: PlacedMistake[],
): Promise<ConfigDocument | 'broken' | null> => {
  if (!file) return null;
  const { readDocument } = await import('./document.ts');
  const document = readDocument(file);
  mistakes.push(...document.mistakes);
  return document.mistakes.length > 0 ? 'broken' : document;
};

const checkUserFile = (file: ConfigFile, document: ConfigDocument, mistakes: PlacedMistake[]): void => {
  const result = userConfigSchema.safeParse(document.value ?? {}, { reportInput: false });
  if (result.success) return;
  for (const mistake of mistakesOf(result.error.issues, userConfigSchema, document.value))
    mistakes.push({
      file: file.name,
      ...document.place(mistake.path, mistake.atKey),
      path: pathText(mistake.path),
      message: mistake.message,
    });
};

const validate = (merged: Merged, mistakes: PlacedMistake[]): Config | undefined => {
  const place = ({ path, message, atKey }: Mistake): PlacedMistake => ({
    ...merged.place(path, atKey),
    path: pathText(path),
    message,
  });
  const result = configSchema.safeParse(merged.value);
  if (!result.success) {
    const refused = mistakesOf(result.error.issues, configSchema, merged.value);
    mistakes.push(...refused.map(place), ...mistakesBetween(merged.value, refused).map(place));
    return undefined;
  }
  mistakes.push(...crossCheck(result.data).map(place));
  return declared(result.data, merged.value);
};

/** Whoever says how many approve, and not where, means production: a forgotten line opens no gate. */
const declared = (config: Config, document: unknown): Config =>
  valueAt(document, ['environment']) === undefined && config.signing?.approvals !== undefined
    ? { ...config, environment: 'production' }
    : config;

/** What is wrong between the parts that the schema took. */
const mistakesBetween = (document: unknown, refused: readonly Mistake[]): Mistake[] => {
  const stood = withStandIns(
    document,
    refused.map(({ path }) => path),
  );
  const result = stood && configSchema.safeParse(stood.value);
  if (!stood || !result?.success) return [];
  // Manifests bring tenants; where that section is refused nobody knows whether there are any.
  const whole = stood.isStandIn(['signing']) ? false : undefined;
  return crossCheck(result.data, whole).filter(({ path }) => !stood.isStandIn(path));
};

/** Origins are looked up by the text of a path, as messages and `config show` write it. */
const originLookup = (config: Config, merged: Merged): ((path: string) => string) => {
  let origins: Map<string, string> | undefined;
  return (path) => {
    if (!origins) {
      origins = new Map();
      const found = origins;
      visitLeaves(config, [], (leafPath) => {
        const text = pathText(leafPath);
        const written = writtenPath(merged.value, leafPath);
        found.set(text, written ? merged.origin(written) : 'default');
      });
    }
    return origins.get(path) ?? 'default';
  };
};

/** The written value that a leaf came from (`allow` becomes `{ action: allow }`), or undefined for a default. */
const writtenPath = (document: unknown, path: Path): Path | undefined => {
  for (let length = path.length; length > 0; length--) {
    const value = valueAt(document, path.slice(0, length));
    if (value === undefined) continue;
    return length === path.length || typeof value !== 'object' ? path.slice(0, length) : undefined;
  }
  return undefined;
};
