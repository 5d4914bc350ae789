/**
 * Connection URIs as libpq writes them: postgres://user:password@host:port/database?sslmode=… (PostgreSQL
 * documentation, 32.1.1.2 "Connection URIs"). What cannot be understood is refused with XC-1010 and never echoed, since
 * a mistyped URI may have its password anywhere.
 */

import { XcError } from '../../core/errors/xc-error.ts';

export const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];

export interface Dsn {
  readonly user: string;
  /** Absent: the server may not ask for one, or ~/.pgpass has it. */
  readonly password: string | undefined;
  /** Host name, address, or a directory that begins with "/" and holds the server's socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** libpq's default is `prefer`. */
  readonly sslMode: SslMode;
  readonly sslRootCert: string | undefined;
  readonly sslCert: string | undefined;
  readonly sslKey: string | undefined;
  readonly sslNegotiation: 'postgres' | 'direct';
  readonly connectTimeoutMs: number | undefined;
  readonly applicationName: string | undefined;
  /** Command-line options for the session: "-c name=value". */
  readonly options: string | undefined;
}

const FORM = 'postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full';

const URI = /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?([^@/?#]*)(?:\/([^/?#]*))?(?:\?([^#]*))?$/;

/** Parameters that the program has no use for, and whose absence changes no promise. */
const IGNORED = new Set([
  'fallback_application_name',
  'client_encoding',
  'keepalives',
  'keepalives_idle',
  'keepalives_interval',
  'keepalives_count',
  'tcp_user_timeout',
  'gssencmode',
  'krbsrvname',
  'target_session_attrs',
  'sslcompression',
  'sslsni',
]);

const KNOWN = new Set([
  'host',
  'port',
  'user',
  'password',
  'dbname',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'sslnegotiation',
  'connect_timeout',
  'application_name',
  'options',
]);

/**
 * @param subject what the DSN belongs to, for the error: "region us-east-1"
 * @throws XcError XC-1010
 */
export const parseDsn = (text: string, subject: string): Dsn => {
  const refuse = (why: string): never => {
    throw new XcError('XC-1010', { subject, why, next: `write it as ${FORM}` });
  };
  const match = URI.exec(text.trim());
  if (!match)
    return refuse('it is no postgres:// URI; a "@", "/", "?" or "#" in a password is percent-encoded');

  const decode = (part: string): string => {
    try {
      return decodeURIComponent(part);
    } catch {
      return refuse('a percent sign is not followed by two hexadecimal digits');
    }
  };
  const parameters = new Map<string, string>();
  for (const pair of (match[4] ?? '').split('&').filter((pair) => pair !== '')) {
    const cut = pair.indexOf('=');
    const key = decode(cut < 0 ? pair : pair.slice(0, cut));
    if (!KNOWN.has(key) && !IGNORED.has(key)) return refuse('it has a parameter that is not known');
    parameters.set(key, cut < 0 ? '' : decode(pair.slice(cut + 1)));
  }

  const [rawUser = '', ...rawPassword] = (match[1] ?? '').split(':');
  const address =
    splitAddress(match[2] ?? '') ?? refuse('its host and port are malformed, or it names several hosts');
  const user = parameters.get('user') ?? decode(rawUser);
  if (user === '') return refuse('it names no user');
  const database = parameters.get('dbname') ?? decode(match[3] ?? '');
  const host = parameters.get('host') ?? decode(address.host);
  if (host.includes(',')) return refuse('it names several hosts');
  const port = Number(parameters.get('port') ?? (address.port === '' ? '5432' : address.port));
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    return refuse('its port is no number from 1 to 65535');
  const sslMode = parameters.get('sslmode') ?? 'prefer';
  if (!isSslMode(sslMode)) return refuse(`its sslmode is none of ${SSL_MODES.join(', ')}`);
  const sslNegotiation = parameters.get('sslnegotiation') ?? 'postgres';
  if (sslNegotiation !== 'postgres' && sslNegotiation !== 'direct')
    return refuse('its sslnegotiation is neither postgres nor direct');
  const timeout = parameters.get('connect_timeout');
  if (timeout !== undefined && !/^\d{1,6}$/.test(timeout))
    return refuse('its connect_timeout is no number of seconds');
  const password = parameters.get('password') ?? decode(rawPassword.join(':'));

  return {
    user,
    password: password === '' ? undefined : password,
    host: host === '' ? 'localhost' : host,
    port,
    database: database === '' ? user : database,
    sslMode,
    sslRootCert: parameters.get('sslrootcert'),
    sslCert: parameters.get('sslcert'),
    sslKey: parameters.get('sslkey'),
    sslNegotiation,
    // libpq: zero or absent means to wait without limit; here the caller's default holds.
    connectTimeoutMs: timeout === undefined || Number(timeout) === 0 ? undefined : Number(timeout) * 1000,
    applicationName: parameters.get('application_name'),
    options: parameters.get('options'),
  };
};

/** "user@host:port/database": what may be shown of a DSN. */
export const describeDsn = (dsn: Dsn): string =>
  `${dsn.user}@${dsn.host.includes(':') ? `[${dsn.host}]` : dsn.host}:${dsn.port}/${dsn.database}`;

/** Whether what is sent stays on this machine: a socket or a loopback address. */
export const isLocal = (dsn: Dsn): boolean =>
  dsn.host.startsWith('/') || /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(dsn.host);

const isSslMode = (text: string): text is SslMode => (SSL_MODES as readonly string[]).includes(text);

const splitAddress = (text: string): { host: string; port: string } | null => {
  const match = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^:[\],]*))(?::(\d*))?$/.exec(text);
  return match ? { host: match[1] ?? match[2] ?? '', port: match[3] ?? '' } : null;
};
