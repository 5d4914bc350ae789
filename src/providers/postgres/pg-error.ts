/**
 * From what `pg` and the network throw to a typed error. Decided by SQLSTATE (PostgreSQL documentation, appendix A) and
 * by the system's error codes; by text only where `pg` gives nothing else.
 */

import { XcError, isXcError, type XcCode } from '../../core/errors/xc-error.ts';

const BY_SQLSTATE: Readonly<Record<string, XcCode>> = {
  '28P01': 'XC-4001', // invalid_password
  '28000': 'XC-4001', // invalid_authorization_specification: no role, or no line in pg_hba.conf
  '42501': 'XC-4002', // insufficient_privilege
  '3D000': 'XC-1011', // invalid_catalog_name
  '53300': 'XC-6010', // too_many_connections
  '57P03': 'XC-6011', // cannot_connect_now: starting up, shutting down, in recovery
  '55P03': 'XC-6012', // lock_not_available
  '57014': 'XC-6013', // query_canceled: statement_timeout
  '57P01': 'XC-6001', // admin_shutdown
  '57P02': 'XC-6001', // crash_shutdown
  '57P05': 'XC-6001', // idle_session_timeout
};

const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'ENOENT',
  'EACCES',
  'EPIPE',
  'EADDRNOTAVAIL',
  'ENOTSOCK',
]);

/** Failures of `pg` that carry no code: its client.js and connection.js. */
const DROPPED =
  /^(timeout expired|Connection terminated|Client has encountered a connection error|read timeout|Query read timeout)/i;

const TLS_CODE = /^(ERR_TLS_|ERR_SSL_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|EPROTO$|HOSTNAME_MISMATCH)/;
const TLS_TEXT =
  /^(The server does not support SSL connections|There was an error establishing an SSL connection)/;

/** SQLSTATE, or the system's or Node's code; empty where there is none. */
export const codeOf = (error: unknown): string => {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if ('sqlState' in error && typeof error.sqlState === 'string') return error.sqlState;
  // Happy eyeballs: one failure an address; the first one tells what is wrong.
  return error instanceof AggregateError && error.errors.length > 0 ? codeOf(error.errors[0]) : '';
};

/** True when the server itself lacks TLS, or refused this session for having or lacking it. */
export const isTlsRefusal = (error: unknown): boolean =>
  (error instanceof Error && TLS_TEXT.test(error.message)) || codeOf(error) === '28000';

/**
 * @param subject what was being talked to, without any secret: "us-east-1 (app@db:5432/shop)"
 * @param secret a text that must not appear in the error, whatever the server's message says
 */
export const pgError = (error: unknown, subject: string, secret?: string): XcError => {
  if (isXcError(error)) return error;
  const code = codeOf(error);
  const message = error instanceof Error ? messageOf(error) : String(error);
  const why = [secret ? message.replaceAll(secret, '***') : message, code === '' ? '' : code]
    .filter((part) => part !== '')
    .join(', ');
  return new XcError(xcCodeOf(error, code, message), {
    subject,
    why,
    facts: code === '' ? {} : { cause: code },
  });
};

const messageOf = (error: Error): string => {
  if (error.message !== '') return error.message;
  return error instanceof AggregateError
    ? error.errors.map((one) => (one as Error).message).join('; ')
    : error.name;
};

const xcCodeOf = (error: unknown, code: string, message: string): XcCode => {
  const known = BY_SQLSTATE[code];
  if (known) return known;
  if (NETWORK.has(code) || code.startsWith('08') || code.startsWith('58') || DROPPED.test(message))
    return 'XC-6001';
  if (TLS_CODE.test(code) || TLS_TEXT.test(message)) return 'XC-4003';
  // pg's own SASL errors: no password given, or a server that cannot prove that it knows it.
  if (message.startsWith('SASL')) return 'XC-4001';
  if (/^[0-9A-Z]{5}$/.test(code) || error instanceof Error) return 'XC-6014';
  return 'XC-9001';
};
