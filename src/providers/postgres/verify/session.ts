/**
 * Settings of a session that compares: everything that changes the text of a value is the same on both sides. A session
 * that would see only the rows that a policy shows fails instead, because it would count the hidden ones as equal.
 */

import type { Client } from 'pg';

const SETTINGS: readonly (readonly [name: string, value: string])[] = [
  ['default_transaction_read_only', 'on'],
  ['client_encoding', 'UTF8'],
  ['DateStyle', 'ISO, YMD'],
  ['IntervalStyle', 'postgres'],
  ['TimeZone', 'UTC'],
  ['extra_float_digits', '1'],
  ['bytea_output', 'hex'],
  ['lc_monetary', 'C'],
  ['quote_all_identifiers', 'off'],
  // Names that regclass and its kin print are qualified, and no function of the operator's is called in place of ours.
  ['search_path', 'pg_catalog'],
  ['row_security', 'off'],
  // A table may take longer than what the operator allows a query of the application.
  ['statement_timeout', '0'],
  ['idle_in_transaction_session_timeout', '0'],
  // Compiling costs more than it saves on expressions that are run once a row.
  ['jit', 'off'],
];

/** The same for a session that writes what was compared: it must tell the same rows. */
export const WRITING_SETTINGS: Readonly<Record<string, string>> = Object.fromEntries(
  SETTINGS.filter(([name]) => name !== 'default_transaction_read_only' && name !== 'client_encoding'),
);

export const prepareSession = async (client: Client): Promise<void> => {
  const settings = SETTINGS.map(([name, value]) => `SET ${name} = '${value}'`);
  await client.query(settings.join('; '));
  // A server stops working for a client that hung up; where the platform cannot look, the statement runs to its end.
  await client.query("SET client_connection_check_interval = '2s'").catch(() => {});
};

/** Whether texts without explicit collation are ordered by their bytes in this database. */
export const ordersByBytes = async (client: Client): Promise<boolean> => {
  const { rows } = await client.query<{ collate: string; encoding: string }>(
    `SELECT datcollate AS collate, pg_encoding_to_char(encoding) AS encoding FROM pg_database
      WHERE datname = current_database() AND datlocprovider = 'c'`,
  );
  const [found] = rows;
  // Bytes of different encodings have different orders.
  return (
    found !== undefined && found.encoding === 'UTF8' && (found.collate === 'C' || found.collate === 'POSIX')
  );
};
