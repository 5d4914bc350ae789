/**
 * Brings the schema xcrepl of one database to this program's version: forward only, everything missing in one
 * transaction under an advisory lock, so that two that start at once do it once and a failure leaves nothing half-done.
 */

import type { Client } from 'pg';
import { XcError } from '../../core/errors/xc-error.ts';
import type { Migration } from './migrations.ts';
import { pgError } from './pg-error.ts';

/** "xcrepl" in ASCII: held by whoever changes the schema. */
const LOCK = 0x78_63_72_65_70_6cn;

export interface Migrated {
  /** Names of the migrations applied now; empty means no change. */
  readonly applied: readonly string[];
  readonly version: number;
}

/**
 * @param subject the database for errors: "us-east-1/shop"
 * @throws XcError XC-3010 when the database is newer, XC-3011 when an applied migration reads otherwise, XC-4002 without
 *   the right to create a schema
 */
export const migrate = async (
  client: Client,
  migrations: readonly Migration[],
  subject: string,
): Promise<Migrated> => {
  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK.toString()]);
    const missing = missingOf(await appliedMigrations(client), migrations, subject);
    if (missing.length > 0) await apply(client, missing);
    await client.query('COMMIT');
    return { applied: missing.map((migration) => migration.name), version: migrations.at(-1)?.version ?? 0 };
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw pgError(error, subject);
  }
};

/** What `migrate` would do, without doing it. */
export const pendingMigrations = async (
  client: Client,
  migrations: readonly Migration[],
  subject: string,
): Promise<readonly string[]> => {
  try {
    return missingOf(await appliedMigrations(client), migrations, subject).map((migration) => migration.name);
  } catch (error) {
    throw pgError(error, subject);
  }
};

interface AppliedRow {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
}

const appliedMigrations = async (client: Client): Promise<AppliedRow[]> => {
  const { rows } = await client.query<{ there: boolean }>(
    `SELECT to_regclass('xcrepl.migrations') IS NOT NULL AS there`,
  );
  if (!rows[0]?.there) return [];
  return (
    await client.query<AppliedRow>('SELECT version, name, checksum FROM xcrepl.migrations ORDER BY version')
  ).rows;
};

const missingOf = (
  applied: readonly AppliedRow[],
  migrations: readonly Migration[],
  subject: string,
): readonly Migration[] => {
  const known = new Map(migrations.map((migration) => [migration.version, migration]));
  for (const row of applied) {
    const migration = known.get(row.version);
    if (!migration)
      throw new XcError('XC-3010', {
        subject,
        why: `migration ${row.version} (${row.name}) is not known to this program, whose newest is ${migrations.at(-1)?.version ?? 0}`,
      });
    if (migration.checksum !== row.checksum)
      throw new XcError('XC-3011', { subject, why: `migration ${row.version} (${row.name})` });
  }
  const done = new Set(applied.map((row) => row.version));
  return migrations.filter((migration) => !done.has(migration.version));
};

const apply = async (client: Client, missing: readonly Migration[]): Promise<void> => {
  await client.query('CREATE SCHEMA IF NOT EXISTS xcrepl');
  await client.query(
    `CREATE TABLE IF NOT EXISTS xcrepl.migrations (
       version    integer PRIMARY KEY,
       name       text NOT NULL,
       checksum   text NOT NULL,
       applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
     )`,
  );
  for (const { version, name, checksum, sql } of missing) {
    await client.query(sql);
    await client.query('INSERT INTO xcrepl.migrations (version, name, checksum) VALUES ($1, $2, $3)', [
      version,
      name,
      checksum,
    ]);
  }
};
