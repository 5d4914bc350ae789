/**
 * The replication origin of a slot: marks what we write, so that it is not sent back, and survives a crash with the
 * commit. Where the role may not use origins the checkpoint row alone holds the position.
 */

import { simpleQuery } from '../wire/exchange.ts';
import type { WireConnection } from '../wire/connection.ts';
import { ServerError } from '../wire/server-error.ts';
import { literal } from '../quote.ts';

/** @returns the origin's name once this session writes under it, or null where that is not permitted */
export const setUpOrigin = async (connection: WireConnection, name: string): Promise<string | null> => {
  try {
    await simpleQuery(
      connection,
      `SELECT pg_replication_origin_create(${literal(name)}) WHERE pg_replication_origin_oid(${literal(name)}) IS NULL`,
    );
    await simpleQuery(connection, `SELECT pg_replication_origin_session_setup(${literal(name)})`);
    return name;
  } catch (error) {
    // insufficient_privilege; all else, and a killed run whose session still holds the origin, is for the caller
    if (error instanceof ServerError && error.sqlState === '42501') return null;
    throw error;
  }
};
