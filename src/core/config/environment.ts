/** What the environment says: two regions when there is no file, and single values that go before the file's. */

import type { Mistake } from './mistake.ts';
import { durationMs } from './quantity.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvironmentMistake extends Mistake {
  readonly variable: string;
}

/** DESIGN, "Configuration": the longest time that a batch may wait. */
const DEFAULT_WINDOW_MS = 30_000;

const DSN_VARIABLES = ['POSTGRES_DSN_PRIMARY', 'POSTGRES_DSN_SECONDARY'] as const;

/** What simulation names as missing when nothing at all is configured. */
export const WISHED_FOR = [
  ...DSN_VARIABLES,
  'S3_PRIMARY_ENDPOINT',
  'S3_SECONDARY_ENDPOINT',
  'GLOBAL_REGISTRY_URL',
  'VAULT_ADDR',
  'COSIGN_KEY_PATH',
] as const;

export const hasDsn = (env: Environment): boolean => DSN_VARIABLES.some((name) => isSet(env, name));

export const isSet = (env: Environment, name: string): boolean => (env[name] ?? '') !== '';

/** Values by top-level key that go before those of a file, and the variable that each comes from. */
export const overrides = (
  env: Environment,
  below: Readonly<Record<string, unknown>>,
): Map<string, { readonly value: unknown; readonly variable: string }> => {
  const found = new Map<string, { readonly value: unknown; readonly variable: string }>();
  if (isSet(env, 'GLOBAL_REGISTRY_URL'))
    found.set('registry', { value: { url: 'env:GLOBAL_REGISTRY_URL' }, variable: 'GLOBAL_REGISTRY_URL' });
  if (isSet(env, 'VAULT_ADDR'))
    found.set('vault', {
      value: { ...(isRecord(below['vault']) ? below['vault'] : {}), address: 'env:VAULT_ADDR' },
      variable: 'VAULT_ADDR',
    });
  if (isSet(env, 'COSIGN_KEY_PATH'))
    found.set('cosign', { value: { key: env['COSIGN_KEY_PATH'] }, variable: 'COSIGN_KEY_PATH' });
  return found;
};

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The document that the environment alone describes, and the variable behind each of its regions' values. */
export const environmentDocument = (
  env: Environment,
): { readonly document: Record<string, unknown>; readonly variables: ReadonlyMap<string, string> } => {
  const variables = new Map<string, string>();
  const primary = env['PRIMARY_REGION'] || 'us-east-1';
  const secondaries = list(env['SECONDARY_REGIONS']) ?? ['eu-central-1'];
  const regions: Record<string, unknown> = {};
  const add = (name: string, variable: string, role: string, side: string | null): void => {
    regions[name] = {
      zone: name.split('-')[0],
      initialRole: role,
      ...(side === null ? {} : { postgres: { dsn: `env:POSTGRES_DSN_${side}` }, ...objectStore(env, side) }),
    };
    if (isSet(env, variable)) variables.set(name, variable);
  };
  add(primary, 'PRIMARY_REGION', 'primary', 'PRIMARY');
  for (const [index, name] of secondaries.entries())
    add(name, 'SECONDARY_REGIONS', 'replica', index === 0 ? 'SECONDARY' : null);
  return { document: { schemaVersion: 1, controlPlane: 'default', regions }, variables };
};

const list = (text: string | undefined): string[] | undefined => {
  const names = (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return names.length > 0 ? names : undefined;
};

/** The environment names no bucket; this one is looked for. */
const BUCKET = 'xcrepl';

const objectStore = (env: Environment, side: string): { readonly objects?: unknown } => {
  const variable = `S3_${side}_ENDPOINT`;
  const endpoint = isSet(env, variable) ? { endpoint: `env:${variable}` } : {};
  switch (env[`CLOUD_PROVIDER_${side}`] ?? '') {
    case 'mock':
      return { objects: { kind: 'memory' } };
    case 'gcp':
      return { objects: { kind: 'gcs', bucket: BUCKET, ...endpoint } };
    case 'azure':
      return { objects: { kind: 'azure', container: BUCKET, ...endpoint } };
    case 'aws':
      return { objects: { kind: 's3', bucket: BUCKET, ...endpoint } };
    default:
      return isSet(env, variable) ? { objects: { kind: 's3', bucket: BUCKET, ...endpoint } } : {};
  }
};

export interface EnvironmentSettings {
  readonly simulation: boolean;
  readonly replicationWindowMs: number;
  readonly mistakes: readonly EnvironmentMistake[];
}

export const environmentSettings = (env: Environment): EnvironmentSettings => {
  const mistakes: EnvironmentMistake[] = [];
  const mistake = (variable: string, message: string): void =>
    void mistakes.push({ path: [], variable, message });

  const simulation = env['SIMULATION_MODE'] ?? '';
  if (!['', 'true', 'false', '1', '0'].includes(simulation))
    mistake('SIMULATION_MODE', 'must be true or false');

  const windowText = env['REPLICATION_WINDOW_MS'] || String(DEFAULT_WINDOW_MS);
  const replicationWindowMs = durationMs(`${windowText}ms`);
  if (replicationWindowMs === null || replicationWindowMs === 0)
    mistake('REPLICATION_WINDOW_MS', 'must be a number of milliseconds above 0');

  for (const side of ['PRIMARY', 'SECONDARY']) {
    const variable = `CLOUD_PROVIDER_${side}`;
    if (!['', 'aws', 'gcp', 'azure', 'mock'].includes(env[variable] ?? ''))
      mistake(variable, 'must be one of aws, gcp, azure, mock');
  }
  return {
    simulation: simulation === 'true' || simulation === '1',
    replicationWindowMs: replicationWindowMs ?? DEFAULT_WINDOW_MS,
    mistakes,
  };
};

export interface VariableDescription {
  readonly name: string;
  readonly default?: string;
  readonly says: string;
}

/** For the generated reference. */
export const ENVIRONMENT_VARIABLES: readonly VariableDescription[] = [
  { name: 'POSTGRES_DSN_PRIMARY', says: 'DSN of the primary region' },
  { name: 'POSTGRES_DSN_SECONDARY', says: 'DSN of the first secondary region' },
  { name: 'PRIMARY_REGION', default: 'us-east-1', says: 'name of the primary region' },
  {
    name: 'SECONDARY_REGIONS',
    default: 'eu-central-1',
    says: 'names of the others, with commas between them',
  },
  { name: 'S3_PRIMARY_ENDPOINT', says: 'object store of the primary region' },
  { name: 'S3_SECONDARY_ENDPOINT', says: 'object store of the first secondary region' },
  { name: 'CLOUD_PROVIDER_PRIMARY', says: 'aws, gcp, azure or mock: the kind of that object store' },
  { name: 'CLOUD_PROVIDER_SECONDARY', says: 'the same for the first secondary region' },
  { name: 'GLOBAL_REGISTRY_URL', says: 'before `registry` of a file' },
  { name: 'VAULT_ADDR', says: 'before `vault.address` of a file' },
  { name: 'VAULT_TOKEN', says: 'token for Vault where the file gives none' },
  { name: 'VAULT_NAMESPACE', says: 'namespace of Vault Enterprise' },
  { name: 'COSIGN_KEY_PATH', says: 'before `cosign.key` of a file' },
  { name: 'SIMULATION_MODE', default: 'false', says: 'true: every run is a simulation' },
  { name: 'REPLICATION_WINDOW_MS', default: '30000', says: 'the longest time that a batch may wait' },
  { name: 'XCREPL_CONFIG', default: 'xcrepl.yaml', says: 'project file, where -c is not given' },
  { name: 'NO_COLOR', says: 'not empty: no colours' },
];
