/** Sequences of a snapshot: forward only, so that none gives a number a second time. */

import type { Client } from 'pg';
import type { Manifest } from '../../../core/snapshot/manifest.ts';
import { ident } from '../quote.ts';

/** @returns how many were moved; those that the target lacks are left out */
export const carrySequences = async (client: Client, sequences: Manifest['sequences']): Promise<number> => {
  let moved = 0;
  for (const { schema, name, lastValue } of sequences) {
    if (lastValue === null) continue;
    const sequence = `${ident(schema)}.${ident(name)}`;
    const { rowCount } = await client.query(
      `SELECT setval(s.seqrelid::regclass, $2::bigint)
         FROM pg_sequence s
        WHERE s.seqrelid = to_regclass($1)
          AND CASE WHEN s.seqincrement > 0 THEN coalesce(pg_sequence_last_value(s.seqrelid) < $2::bigint, true)
                   ELSE coalesce(pg_sequence_last_value(s.seqrelid) > $2::bigint, true) END`,
      [sequence, lastValue],
    );
    moved += rowCount ?? 0;
  }
  return moved;
};
