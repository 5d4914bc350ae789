/**
 * The statements that a database administrator runs so that a less privileged role can do the work: each with what
 * needs it. They are printed, never run.
 */

import type { Client } from 'pg';
import type { SequenceFacts, TableFacts } from '../../core/topology/table.ts';
import { ident, qualified } from './quote.ts';

export interface Grant {
  readonly statement: string;
  readonly needs: string;
}

/** Functions of replication origins as this server declares them: their parameters differ between versions. */
export const originFunctions = async (client: Client): Promise<string[]> =>
  (
    await client.query<{ signature: string }>(
      `SELECT p.oid::regprocedure::text AS signature FROM pg_catalog.pg_proc p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname LIKE 'pg_replication_origin_%' ORDER BY 1`,
    )
  ).rows.map((row) => row.signature);

/** What the role needs in a database that is read from. Publishing a table takes its owner's rights. */
export const sourceGrants = (
  role: string,
  database: string,
  tables: readonly TableFacts[],
  sequences: readonly SequenceFacts[],
): Grant[] => [
  { statement: `ALTER ROLE ${ident(role)} WITH LOGIN REPLICATION`, needs: 'reading changes from a slot' },
  {
    statement: `GRANT CREATE ON DATABASE ${ident(database)} TO ${ident(role)}`,
    needs: 'creating publications',
  },
  ...schemasOf(tables).map((schema) => ({
    statement: `GRANT USAGE ON SCHEMA ${ident(schema)} TO ${ident(role)}`,
    needs: 'copying tables',
  })),
  ...tables.map((table) => ({
    statement: `GRANT SELECT ON TABLE ${qualified(table)} TO ${ident(role)}`,
    needs: 'copying and comparing the table',
  })),
  ...sequences.map((sequence) => ({
    statement: `GRANT SELECT ON SEQUENCE ${qualified(sequence)} TO ${ident(role)}`,
    needs: 'carrying its value along',
  })),
  {
    statement: `GRANT ${ident('OWNER_OF_THE_TABLES')} TO ${ident(role)}`,
    needs:
      'publishing tables, which only their owner may: put the owning role in place of OWNER_OF_THE_TABLES',
  },
];

/** What the role needs in a database that is written to. */
export const targetGrants = (
  role: string,
  database: string,
  functions: readonly string[],
  tables: readonly TableFacts[],
  sequences: readonly SequenceFacts[],
): Grant[] => [
  { statement: `ALTER ROLE ${ident(role)} WITH LOGIN`, needs: 'connecting' },
  {
    statement: `GRANT CONNECT ON DATABASE ${ident(database)} TO ${ident(role)}`,
    needs: 'connecting',
  },
  {
    statement: `GRANT SET ON PARAMETER session_replication_role TO ${ident(role)}`,
    needs: 'applying rows without firing the application’s triggers again',
  },
  ...functions.map((signature) => ({
    statement: `GRANT EXECUTE ON FUNCTION pg_catalog.${signature} TO ${ident(role)}`,
    needs: 'applying under a replication origin',
  })),
  ...['TABLES', 'SEQUENCES', 'FUNCTIONS'].map((kind) => ({
    statement: `GRANT ALL ON ALL ${kind} IN SCHEMA xcrepl TO ${ident(role)}`,
    needs: 'checkpoints and link states',
  })),
  { statement: `GRANT USAGE ON SCHEMA xcrepl TO ${ident(role)}`, needs: 'checkpoints and link states' },
  ...schemasOf(tables).map((schema) => ({
    statement: `GRANT USAGE ON SCHEMA ${ident(schema)} TO ${ident(role)}`,
    needs: 'applying rows',
  })),
  ...tables.map((table) => ({
    statement: `GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE ${qualified(table)} TO ${ident(role)}`,
    needs: 'applying and comparing rows',
  })),
  ...sequences.map((sequence) => ({
    statement: `GRANT SELECT, UPDATE ON SEQUENCE ${qualified(sequence)} TO ${ident(role)}`,
    needs: 'carrying its value along',
  })),
];

const schemasOf = (tables: readonly TableFacts[]): string[] =>
  [...new Set(tables.map((table) => table.schema))].toSorted();
