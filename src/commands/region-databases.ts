/** The databases that a region has for us: the one of its DSN, and those of tenants that have one to themselves. */

import type { Client } from 'pg';
import type { LoadedConfig } from '../core/config/loaded.ts';
import { XcError } from '../core/errors/xc-error.ts';
import { linksOf } from '../core/topology/link.ts';
import { connect, disconnect } from '../providers/postgres/connect.ts';
import { parseDsn } from '../providers/postgres/dsn.ts';
import type { Host } from './frame/host.ts';

export interface RegionDatabase {
  readonly region: string;
  readonly database: string;
  readonly dsn: string;
}

/** @throws XcError XC-1006 for a region without a database, XC-1005 */
export const databasesOf = async (
  host: Host,
  { config }: LoadedConfig,
  region: string,
): Promise<RegionDatabase[]> => {
  const settings = config.regions[region];
  if (!settings) throw new XcError('XC-1006', { subject: `region ${region}` });
  if (!settings.postgres)
    throw new XcError('XC-1006', {
      subject: `database of region ${region}`,
      why: 'the region has no postgres',
    });
  const dsn = await host.secret(settings.postgres.dsn);
  const own = linksOf(config).filter((link) => link.source === region || link.target === region);
  const scoped = own.flatMap(({ scope }) => (scope.kind === 'database' ? [scope.database] : []));
  return [...new Set([parseDsn(dsn, region).database, ...scoped])].map((database) => ({
    region,
    database,
    dsn,
  }));
};

export const onDatabase = async <T>(
  host: Host,
  { region, database, dsn }: RegionDatabase,
  work: (client: Client) => Promise<T>,
): Promise<T> => {
  const client = await connect(dsn, { subject: region, database, signal: host.signal });
  try {
    return await work(client);
  } finally {
    await disconnect(client);
  }
};
