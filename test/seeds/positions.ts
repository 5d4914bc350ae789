/** What the source was told is done, beside what the target has done. */

import type { Pair } from '../harness/pair.ts';

/** Positions up to which the source may forget, by slot. */
export const acknowledged = async (pair: Pair): Promise<ReadonlyMap<string, string>> => {
  const rows = await pair.source.query<{ slot: string; position: string }>(
    `SELECT slot_name AS slot, confirmed_flush_lsn::text AS position FROM pg_replication_slots
      WHERE database = current_database() AND NOT temporary AND confirmed_flush_lsn IS NOT NULL`,
  );
  return new Map(rows.map(({ slot, position }) => [slot, position]));
};

/** @throws Error naming a slot of which the source has forgotten what the target does not have */
export const expectNothingAhead = async (pair: Pair, told?: ReadonlyMap<string, string>): Promise<void> => {
  for (const [slot, position] of told ?? (await acknowledged(pair))) {
    const ahead = await pair.target.query<{ checkpoint: string }>(
      'SELECT position::text AS checkpoint FROM xcrepl.checkpoints WHERE slot = $1 AND position < $2::pg_lsn',
      [slot, position],
    );
    if (ahead[0])
      throw new Error(`${slot} is acknowledged up to ${position}, the target has ${ahead[0].checkpoint}`);
  }
};
