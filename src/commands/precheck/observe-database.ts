/** Everything that precheck reads from one database, over one connection that ends with it. Reads only. */

import type { Client } from 'pg';
import type { Clock } from '../../core/time/clock.ts';
import type { Catalogue, TableName } from '../../core/topology/table.ts';
import { SILENCE } from '../../core/validation/checks/reach.ts';
import type { ObservedAccess, ObservedServer } from '../../core/validation/observed-server.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { readCatalogue } from '../../providers/postgres/catalogue/catalogue.ts';
import { readAccess, readServerState } from '../../providers/postgres/catalogue/server.ts';
import { measureClock } from '../../providers/postgres/clock-offset.ts';
import { abandon, connect, disconnect, type ConnectOptions } from '../../providers/postgres/connect.ts';
import { describeDsn, isLocal, type Dsn } from '../../providers/postgres/dsn.ts';
import { readIdentity } from '../../providers/postgres/identity.ts';
import { pgError } from '../../providers/postgres/pg-error.ts';
import type { Deadline } from './deadline.ts';

const SILENT = { facts: { cause: SILENCE } };

export interface DatabaseJob {
  readonly region: string;
  readonly dsn: Dsn;
  /** Tables that some link through this database names. */
  readonly isNamed: (table: TableName) => boolean;
  /** No link goes through it: its tables do not matter. */
  readonly withoutTables: boolean;
}

export interface ObservedDatabase {
  readonly server: ObservedServer;
  readonly catalogue: Catalogue;
  /** Of the tables that are no partitions. */
  readonly access: readonly ObservedAccess[];
}

/** @throws XcError with what kept the database from being read */
export const observeDatabase = async (
  job: DatabaseJob,
  clock: Clock,
  deadline: Deadline,
): Promise<ObservedDatabase> => {
  const subject = `${job.region} (${describeDsn(job.dsn)})`;
  const name = await deadline.lookup(job.dsn.host);
  if (name.kind === 'none')
    throw new XcError('XC-6001', { subject, why: name.why, ...(deadline.reach.aborted ? SILENT : {}) });
  const options: ConnectOptions = {
    subject: job.region,
    applicationName: 'xcrepl precheck',
    connectTimeoutMs: deadline.reachMs,
    statementTimeoutMs: deadline.totalMs,
    lockTimeoutMs: Math.round(deadline.totalMs / 4),
    readOnly: true,
    signal: deadline.reach,
  };
  const client = await connect(job.dsn, options);
  const onLate = (): void => abandon(client);
  deadline.total.addEventListener('abort', onLate, { once: true });
  try {
    deadline.total.throwIfAborted();
    return await read(client, job, clock, () => connect(job.dsn, { ...options, replication: 'database' }));
  } catch (error) {
    throw deadline.total.aborted
      ? new XcError('XC-6001', {
          subject,
          why: 'the server stopped answering before everything was read',
          ...SILENT,
        })
      : pgError(error, subject, job.dsn.password);
  } finally {
    deadline.total.removeEventListener('abort', onLate);
    await disconnect(client, deadline.total.aborted ? 0 : 500);
  }
};

const read = async (
  client: Client,
  job: DatabaseJob,
  clock: Clock,
  openReplication: () => Promise<Client>,
): Promise<ObservedDatabase> => {
  const identity = await readIdentity(client, job.region, openReplication);
  const offset = await measureClock(client, clock);
  const state = await readServerState(client);
  const catalogue = job.withoutTables ? NOTHING : await readCatalogue(client, { tables: job.isNamed });
  const roots = [...catalogue.tables.values()].filter((table) => !table.isPartition);
  const access = await readAccess(
    client,
    roots.map((table) => table.oid),
  );
  return {
    catalogue,
    access,
    server: {
      ...state,
      region: job.region,
      database: identity.database,
      address: describeDsn(job.dsn),
      isLocal: isLocal(job.dsn),
      version: identity.version,
      inRecovery: identity.inRecovery,
      systemIdentifier: identity.systemIdentifier,
      timeline: identity.timeline,
      clock: offset,
    },
  };
};

const NOTHING: Catalogue = { tables: new Map(), types: new Map(), sequences: [] };
