/** The tables' DDL, by a pg_dump on PATH that is at least as new as the server; an older one refuses it anyway. */

import { execa } from 'execa';
import { tableName, type TableFacts } from '../../../core/topology/table.ts';
import { ident, qualified } from '../quote.ts';
import { parseDsn } from '../dsn.ts';

export type SchemaDump = { readonly sql: Buffer; readonly by: string } | { readonly missing: string };

const LONGEST_MS = 60_000;

/** @param version server_version_num */
export const dumpSchema = async (
  dsn: string,
  place: { readonly region: string; readonly database: string; readonly version: number },
  tables: readonly TableFacts[],
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<SchemaDump> => {
  const asked = await execa('pg_dump', ['--version'], {
    reject: false,
    env,
    extendEnv: false,
    cancelSignal: signal,
  });
  const version = /\) (\d+)/.exec(asked.stdout ?? '')?.[1];
  if (asked.exitCode !== 0 || version === undefined) return { missing: 'no pg_dump on PATH' };
  const needed = Math.floor(place.version / 10_000);
  if (Number(version) < needed) return { missing: `pg_dump ${version} is older than the server, ${needed}` };
  const { host, port, user, password, ...rest } = parseDsn(dsn, place.region);
  const dumped = await execa(
    'pg_dump',
    ['--schema-only', '--no-owner', '--no-privileges', '--no-password', ...tables.flatMap(pattern)],
    {
      reject: false,
      extendEnv: false,
      encoding: 'buffer',
      timeout: LONGEST_MS,
      cancelSignal: signal,
      // No secret in an argument.
      env: {
        PATH: env['PATH'],
        HOME: env['HOME'],
        PGHOST: host,
        PGPORT: String(port),
        PGUSER: user,
        PGDATABASE: place.database,
        PGSSLMODE: rest.sslMode,
        ...(password === undefined ? {} : { PGPASSWORD: password }),
      },
    },
  );
  signal.throwIfAborted();
  if (dumped.exitCode !== 0)
    return { missing: `pg_dump ${version} ended with ${dumped.exitCode ?? dumped.signal ?? 'a timeout'}` };
  return { sql: Buffer.from(dumped.stdout), by: `pg_dump ${version} of ${tables.length} tables` };
};

/** Patterns of psql: what stands in quotes is a name. Partitions come as tables of their own. */
const pattern = (table: TableFacts): string[] => [
  `--table=${qualified(table)}`,
  ...table.leaves.filter((leaf) => leaf !== tableName(table)).map((leaf) => `--table=${leafPattern(leaf)}`),
];

const leafPattern = (leaf: string): string =>
  leaf.includes('"')
    ? leaf
    : leaf
        .split('.')
        .map((part) => ident(part))
        .join('.');
