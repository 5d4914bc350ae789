/**
 * The one place where a DSN becomes a session. Every session has a name, a connect deadline, keepalives and fixed
 * settings, so that no text form, time zone or search path depends on how a server or role is set up.
 */

import { Socket } from 'node:net';
import { Client, type ClientConfig } from 'pg';
import { XcError } from '../../core/errors/xc-error.ts';
import { describeDsn, parseDsn, type Dsn } from './dsn.ts';
import { isTlsRefusal, pgError } from './pg-error.ts';
import { tlsAttempts, tlsOptions } from './tls.ts';

export interface ConnectOptions {
  /** What the session belongs to, for errors: "us-east-1". */
  readonly subject: string;
  /** Shown in pg_stat_activity; at most 63 bytes count. Default: the DSN's, else "xcrepl". */
  readonly applicationName?: string;
  /** Replaces the DSN's database: tenants that are scoped by database. */
  readonly database?: string;
  /** Opens a walsender session for this database (PostgreSQL documentation, 54.4). */
  readonly replication?: 'database';
  /** Over name look-up, TCP, TLS and login together. Default: the DSN's connect_timeout, else 10 s. */
  readonly connectTimeoutMs?: number;
  /** Server-side limits; absent leaves the server's own. */
  readonly statementTimeoutMs?: number;
  readonly lockTimeoutMs?: number;
  /** Every transaction is read-only unless it says otherwise. */
  readonly readOnly?: boolean;
  /** Further settings of the session, by name. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Ends the attempt, with the signal's own reason unless that is a timeout; once connected it has no effect. */
  readonly signal?: AbortSignal;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** A host that vanished is noticed by TCP probes that begin after this idle time. */
const KEEPALIVE_IDLE_MS = 10_000;

/**
 * The text forms that the program reads and writes. The empty search path makes every name that the catalogue prints
 * qualified, and no function of the operator's can stand in for a built-in one (as PostgreSQL's own apply worker does).
 */
const SETTINGS: Readonly<Record<string, string>> = {
  DateStyle: 'ISO,MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  extra_float_digits: '3',
  bytea_output: 'hex',
  lc_monetary: 'C',
  // Fragments, and NULLs in arrays, are values like others: under `document` or without `array_nulls` they are refused.
  xmloption: 'content',
  array_nulls: 'on',
  standard_conforming_strings: 'on',
  quote_all_identifiers: 'off',
  search_path: '',
};

/** Only goes forward. The global performance would be loaded for this alone. */
const uptimeMs = (): number => process.uptime() * 1000;

/**
 * A connected client. A connection that later breaks while idle shows at the next query, not as a crash.
 * @throws XcError XC-1010 DSN, XC-1011 database, XC-1012 TLS file, XC-4001 login, XC-4002 permission, XC-4003 TLS,
 *   XC-6001 refused, dropped or not answered in time, XC-6010 no connection free, XC-6011 starting or stopping
 */
export const connect = async (dsn: string | Dsn, options: ConnectOptions): Promise<Client> => {
  const parsed = typeof dsn === 'string' ? parseDsn(dsn, options.subject) : dsn;
  const target = options.database === undefined ? parsed : { ...parsed, database: options.database };
  const subject = `${options.subject} (${describeDsn(target)})`;
  const timeoutMs = options.connectTimeoutMs ?? target.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  const deadline = uptimeMs() + timeoutMs;
  const attempts = tlsAttempts(target);
  for (const [index, tls] of attempts.entries()) {
    try {
      const config = clientConfig(target, options, tls, subject);
      return await open(config, Math.max(1, deadline - uptimeMs()), options.signal, timeoutMs);
    } catch (error) {
      if (options.signal?.aborted && !isTimeout(options.signal.reason)) throw options.signal.reason;
      const isLast = index === attempts.length - 1;
      if (isLast || !isTlsRefusal(error)) throw pgError(error, subject, target.password);
    }
  }
  throw new XcError('XC-9001', { subject, why: 'no way to connect was tried' });
};

const clientConfig = (dsn: Dsn, options: ConnectOptions, tls: boolean, subject: string): ClientConfig => ({
  host: dsn.host,
  port: dsn.port,
  user: dsn.user,
  database: dsn.database,
  ...(dsn.password === undefined ? {} : { password: dsn.password }),
  ssl: tls ? tlsOptions(dsn, subject) : false,
  ...(tls ? { sslnegotiation: dsn.sslNegotiation } : {}),
  application_name: options.applicationName ?? dsn.applicationName ?? 'xcrepl',
  options: sessionOptions(dsn, options),
  keepAlive: true,
  keepAliveInitialDelayMillis: KEEPALIVE_IDLE_MS,
  ...(options.replication === undefined ? {} : { replication: options.replication }),
});

const sessionOptions = (dsn: Dsn, options: ConnectOptions): string => {
  const settings: Record<string, string> = {
    ...SETTINGS,
    ...(options.statementTimeoutMs === undefined
      ? {}
      : { statement_timeout: `${options.statementTimeoutMs}` }),
    ...(options.lockTimeoutMs === undefined ? {} : { lock_timeout: `${options.lockTimeoutMs}` }),
    ...(options.readOnly === true ? { default_transaction_read_only: 'on' } : {}),
    ...options.settings,
  };
  const flags = Object.entries(settings).map(
    ([name, value]) => `-c ${name}=${value.replace(/[\\ ]/g, '\\$&')}`,
  );
  return [dsn.options ?? '', ...flags].join(' ').trim();
};

/** The socket is ours, so that a server which accepts and never answers can be hung up on at any point of the login. */
const open = async (
  config: ClientConfig,
  remainingMs: number,
  signal: AbortSignal | undefined,
  timeoutMs: number,
): Promise<Client> => {
  if (signal?.aborted) throw late(timeoutMs);
  const socket = new Socket();
  const client = new Client({ ...config, stream: () => socket });
  client.on('error', () => {});
  const hangUp = (reason: Error): void => {
    socket.destroy(reason);
  };
  const onAbort = (): void => hangUp(late(timeoutMs));
  const timer = setTimeout(() => hangUp(late(timeoutMs)), remainingMs);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    await client.connect();
    return client;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
};

/** AbortSignal.timeout(): a deadline of the caller's, and so an answer that came too late. */
const isTimeout = (reason: unknown): boolean =>
  reason instanceof DOMException && reason.name === 'TimeoutError';

const late = (timeoutMs: number): Error =>
  Object.assign(new Error(`no answer within ${timeoutMs} ms`), { code: 'ETIMEDOUT' });

/** Says goodbye; hangs up on a server that does not take it within `graceMs`. Never throws. */
export const disconnect = async (client: Client, graceMs = 1_000): Promise<void> => {
  const timer = setTimeout(() => abandon(client), graceMs);
  try {
    await client.end();
  } catch {
    abandon(client);
  } finally {
    clearTimeout(timer);
  }
};

/** Hangs up at once: what the session was doing fails with a lost connection. */
export const abandon = (client: Client): void => {
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  stream.destroy();
};
