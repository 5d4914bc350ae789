/** The working directory of a pair: its configuration, and the secrets that this refers to. */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ConfigInput } from '../../src/core/config/schema.ts';
import { runDirectory } from '../servers/run-directory.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';

export interface PairFiles extends AsyncDisposable {
  readonly directory: string;
  readonly configPath: string;
  writeConfig(config: ConfigInput): Promise<void>;
  /** Another DSN for a region, for instance through a proxy. */
  writeDsn(region: string, dsn: string): Promise<void>;
}

/** Of the hash key "k1" of every test: not secret, and the same each time, so that hashes can be compared. */
export const TEST_HASH_KEY = '6b31'.repeat(16);

export const makePairFiles = async (): Promise<PairFiles> => {
  const directory = await mkdtemp(join(await runDirectory(), 'pair-'));
  const secrets = join(directory, 'secrets');
  await mkdir(secrets, { mode: 0o700 });
  await writeFile(join(secrets, 'k1.key'), `${TEST_HASH_KEY}\n`, { mode: 0o600 });
  const configPath = join(directory, 'xcrepl.yaml');
  return {
    directory,
    configPath,
    writeConfig: (config) => writeFile(configPath, stringify(config)),
    writeDsn: (region, dsn) => writeFile(join(secrets, `${region}.dsn`), `${dsn}\n`, { mode: 0o600 }),
    [Symbol.asyncDispose]: () =>
      rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }),
  };
};

/** Both regions and the hash key; tenants and rules are the caller's. */
export const baseConfig = (directory: string): ConfigInput => ({
  schemaVersion: 1,
  controlPlane: 'test',
  environment: 'staging',
  registry: 'none',
  hashKeys: { k1: `file:${join(directory, 'secrets', 'k1.key')}` },
  regions: {
    [SOURCE_REGION]: {
      zone: 'us',
      initialRole: 'primary',
      postgres: { dsn: `file:${join(directory, 'secrets', `${SOURCE_REGION}.dsn`)}` },
    },
    [TARGET_REGION]: {
      zone: 'eu',
      initialRole: 'replica',
      postgres: { dsn: `file:${join(directory, 'secrets', `${TARGET_REGION}.dsn`)}` },
    },
  },
});
