/** Slots of links by themselves, on the source: copied from the slot that they share, dropped when nobody needs them. */

import type { Client } from 'pg';
import { parseLsn, type Lsn } from '../../../core/change/lsn.ts';
import { linkSlotName, type LinkId } from '../../../core/topology/link.ts';
import { ident, literal } from '../quote.ts';
import { dropOrigin } from './slots.ts';
import { simpleQuery } from '../wire/exchange.ts';
import type { Sessions } from './sessions.ts';

/**
 * Another slot with the positions of this one, which may be in use (PostgreSQL documentation, 9.28.6).
 * @returns the position from which the copy can be read
 */
export const copySlot = async (client: Client, from: string, to: string): Promise<Lsn> => {
  await client.query('SELECT pg_copy_logical_replication_slot($1, $2)', [from, to]);
  const { rows } = await client.query<{ confirmed: string }>(
    'SELECT confirmed_flush_lsn::text AS confirmed FROM pg_replication_slots WHERE slot_name = $1',
    [to],
  );
  return parseLsn(rows[0]?.confirmed ?? '');
};

/** A copied slot is not kept on the source's standbys by itself, as the one that it was copied from may be. */
export const failOverAs = async (sessions: Sessions, from: string, to: string): Promise<void> => {
  await using walsender = await sessions.wire('source', 'walsender');
  const { rows } = await simpleQuery(
    walsender,
    `SELECT failover FROM pg_replication_slots WHERE slot_name = ${literal(from)}`,
  );
  if (rows[0]?.[0] === 't')
    await simpleQuery(walsender, `ALTER_REPLICATION_SLOT ${ident(to)} (FAILOVER true)`);
};

/** What is left of links' own slots and origins that no checkpoint names: of runs that were killed within a step. */
export const dropAbandonedLinkSlots = async (
  source: Client,
  target: Client,
  links: readonly LinkId[],
  known: readonly string[],
): Promise<void> => {
  const prefixes = links.map(linkSlotName);
  await source.query(
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
      WHERE left(slot_name, ${LINK_SLOT_NAME}) = ANY ($1) AND database = current_database() AND NOT active
        AND slot_name <> ALL ($2)`,
    [prefixes, known],
  );
  const { rows } = await target.query<{ name: string }>(
    `SELECT roname AS name FROM pg_replication_origin
      WHERE left(roname, ${LINK_SLOT_NAME}) = ANY ($1) AND roname <> ALL ($2)`,
    [prefixes, known],
  );
  for (const { name } of rows) await dropOrigin(target, name);
};

/** Length of a link's slot name, before the number that tells a second one of the same link. */
const LINK_SLOT_NAME = linkSlotName('').length;
