/** Which PostgreSQL it is, whether it may be written to, and whether the way to it is encrypted. */

import type { Finding } from '../../finding.ts';
import { row, type ServerCheck } from './context.ts';

const OLDEST_MAJOR = 15;
const NEWEST_TESTED_MAJOR = 18;

/** First minor release with the fix for lost publication invalidations (CORRECTNESS 37); 18 has it from the start. */
const FIXED_MINOR: Readonly<Record<number, number>> = { 15: 13, 16: 9, 17: 5 };

export const majorOf = (version: number): number => Math.floor(version / 10_000);
const nameOf = (version: number): string => `${majorOf(version)}.${version % 10_000}`;

export const version: ServerCheck = (context) => {
  const { version: number, inRecovery } = context.server;
  const major = majorOf(number);
  const seen = `PostgreSQL ${nameOf(number)}`;
  const judge = (): Partial<Finding> => {
    if (major < OLDEST_MAJOR)
      return {
        verdict: 'fail',
        severity: 'block',
        remedy: `upgrade to PostgreSQL ${OLDEST_MAJOR} or later`,
        code: 'XC-5303',
      };
    if (major > NEWEST_TESTED_MAJOR)
      return {
        verdict: 'unknown',
        severity: 'warn',
        remedy: 'this version was not tested; try it in a lab first',
        code: 'XC-5303',
      };
    const fixed = FIXED_MINOR[major];
    if (context.isSource && fixed !== undefined && number % 10_000 < fixed)
      return {
        verdict: 'fail',
        severity: 'warn',
        remedy: `upgrade to ${major}.${fixed} or later: before it a publication that changes under load can lose changes`,
        code: 'XC-5303',
      };
    return {};
  };
  return [
    row(context, 'version', { seen, ...judge() }),
    inRecovery
      ? row(context, 'writable', {
          verdict: 'fail',
          severity: context.isSource || context.isTarget ? 'block' : 'warn',
          seen: 'the server is in recovery: it is a physical standby, and takes no publication and no row',
          remedy: 'point the DSN at the primary',
          code: 'XC-5308',
        })
      : row(context, 'writable', { seen: `primary, timeline ${context.server.timeline}` }),
  ];
};

export const tls: ServerCheck = (context) => {
  const { tls: seen, isLocal } = context.server;
  if (seen === null)
    return [
      row(context, 'tls', {
        verdict: 'unknown',
        severity: isLocal ? 'info' : 'warn',
        seen: 'pg_stat_ssl cannot be read',
        code: 'XC-5307',
      }),
    ];
  if (seen.used) return [row(context, 'tls', { seen: seen.version ?? 'in use' })];
  if (isLocal) return [row(context, 'tls', { seen: 'not in use; the address is on this machine' })];
  return [
    row(context, 'tls', {
      verdict: 'fail',
      severity: 'warn',
      seen: 'not in use, and the address is not on this machine: rows and secrets are readable on the way',
      remedy: 'add sslmode=verify-full and sslrootcert=… to the DSN',
      code: 'XC-5307',
    }),
  ];
};
