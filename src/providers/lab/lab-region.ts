/** One region of a lab: its server, its password and its database. */

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, escapeIdentifier } from 'pg';
import { XcError } from '../../core/errors/xc-error.ts';
import type { Lab, LabRegion } from './lab-state.ts';
import { freePort } from './port.ts';
import { createServer, startServer, SUPERUSER, type Server } from './server.ts';
import { serverSettings } from './settings.ts';
import { readIfThere, writeWhole } from './text-file.ts';

/** The database that a lab's DSNs name. */
export const DATABASE = 'app';

/** Another process may take a port between its choice and its use; more often than this it is no accident. */
const MAX_PORTS = 5;

/** How long processes of a killed server may hold its shared memory and its port. */
const RESTART_LIMIT_MS = 30_000;
const RESTART_PAUSE_MS = 200;

/**
 * Makes and starts the server, and writes its DSN file. Returns the region with its port.
 * @throws XcError XC-6202, XC-6203
 */
export const makeRegion = async (
  lab: Lab,
  draft: LabRegion,
  extra: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<LabRegion> => {
  const password = randomBytes(24).toString('base64url');
  const major = Number.parseInt(lab.pgVersion, 10);
  await createServer(serverOf(lab, draft), password, serverSettings({ ...lab, major, extra }), lab);
  for (let tries = 0; tries < MAX_PORTS; tries++) {
    const region = { ...draft, port: await freePort() };
    const started = await startServer(serverOf(lab, region), signal);
    if ('portTaken' in started) continue;
    await createDatabase(dsnOf(lab, region, password, 'postgres'), lab.database);
    await writeWhole(region.dsnFile, `${dsnOf(lab, region, password, lab.database)}\n`, 0o600);
    return region;
  }
  throw new XcError('XC-6203', { subject: draft.name, why: `${MAX_PORTS} ports in a row were taken` });
};

/**
 * Starts a stopped or killed server again, on its own port: DSNs that name it stay true.
 * @throws XcError XC-6203
 */
export const restartRegion = async (lab: Lab, region: LabRegion, signal: AbortSignal): Promise<void> => {
  const deadline = performance.now() + RESTART_LIMIT_MS;
  for (;;) {
    try {
      const started = await startServer(serverOf(lab, region), signal);
      if ('pid' in started) return;
      if (performance.now() > deadline)
        throw new XcError('XC-6203', { subject: region.name, why: `port ${region.port} is taken` });
    } catch (error) {
      const isHeld = error instanceof XcError && /still in use|lock file/.test(error.why ?? '');
      if (!isHeld || performance.now() > deadline) throw error;
    }
    await sleep(RESTART_PAUSE_MS, undefined, { signal });
  }
};

/** The region's DSN, as its file holds it. @throws XcError XC-1005 */
export const dsnOfRegion = async (region: LabRegion): Promise<string> => {
  const text = await readIfThere(region.dsnFile);
  if (text === null) throw new XcError('XC-1005', { subject: `file:${region.dsnFile}` });
  return text.trim();
};

/** How long a server that lives may take to answer. */
const ANSWER_LIMIT_MS = 5_000;

/** Whether the server lets its owner in and answers a query. One that is still being made has no DSN file yet. */
export const regionAnswers = async (region: LabRegion): Promise<boolean> => {
  const dsn = await readIfThere(region.dsnFile);
  if (dsn === null) return false;
  const client = new Client({
    connectionString: dsn.trim(),
    connectionTimeoutMillis: ANSWER_LIMIT_MS,
    query_timeout: ANSWER_LIMIT_MS,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
};

export const serverOf = (lab: Lab, region: LabRegion): Server => ({
  ...region,
  bin: lab.bin,
  user: lab.user,
});

/** A URI as libpq and pg read it; a socket's directory stands in the parameter "host" (libpq documentation, 32.1.1.2). */
const dsnOf = (lab: Lab, region: LabRegion, password: string, database: string): string =>
  lab.via === 'tcp'
    ? `postgresql://${SUPERUSER}:${password}@127.0.0.1:${region.port}/${database}`
    : `postgresql://${SUPERUSER}:${password}@/${database}?host=${encodeURIComponent(lab.socketDirectory)}&port=${region.port}`;

const createDatabase = async (dsn: string, database: string): Promise<void> => {
  const client = new Client({ connectionString: dsn });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${escapeIdentifier(database)}`);
  } finally {
    await client.end();
  }
};
