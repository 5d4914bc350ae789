/**
 * sslmode as libpq means it (PostgreSQL documentation, 32.19.3 "Protection Provided in Different Modes"), in Node's TLS
 * options. `require` encrypts without verifying; with sslrootcert it verifies the chain, as libpq does.
 */

import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { XcError } from '../../core/errors/xc-error.ts';
import type { Dsn } from './dsn.ts';

/** Whether a session is first tried with TLS, and whether it may go on without. */
export const tlsAttempts = (dsn: Dsn): readonly boolean[] => {
  if (dsn.host.startsWith('/') || dsn.sslMode === 'disable') return [false];
  if (dsn.sslMode === 'prefer') return [true, false];
  if (dsn.sslMode === 'allow') return [false, true];
  return [true];
};

/** @throws XcError XC-1012 when a file that the DSN names cannot be read. */
export const tlsOptions = (dsn: Dsn, subject: string): ConnectionOptions => {
  const read = (path: string, parameter: string): string => {
    try {
      return readFileSync(path, 'utf8');
    } catch (cause) {
      throw new XcError('XC-1012', { subject, why: `${parameter}=${path}`, cause });
    }
  };
  const { sslRootCert: root, sslCert: cert, sslKey: key } = dsn;
  return {
    ...(root === undefined || root === 'system' ? {} : { ca: read(root, 'sslrootcert') }),
    ...(cert === undefined ? {} : { cert: read(cert, 'sslcert') }),
    ...(key === undefined ? {} : { key: read(key, 'sslkey') }),
    ...verification(dsn),
  };
};

const verification = (dsn: Dsn): ConnectionOptions => {
  if (dsn.sslMode === 'verify-full') return { rejectUnauthorized: true };
  const verifiesChain =
    dsn.sslMode === 'verify-ca' || (dsn.sslMode === 'require' && dsn.sslRootCert !== undefined);
  return verifiesChain
    ? { rejectUnauthorized: true, checkServerIdentity: () => undefined }
    : { rejectUnauthorized: false };
};
