/**
 * Links that are held: errored or paused, each on a slot of its own that keeps its changes. What is written here decides
 * where such a link goes on, so each step is one transaction, and only of the run that holds the stream.
 */

import { formatLsn, parseLsn, type Lsn } from '../../../core/change/lsn.ts';
import { storable } from './storable.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import type { LinkError } from '../../../core/replication/engine.ts';
import { linkSlotName, type LinkId } from '../../../core/topology/link.ts';
import type { Client } from 'pg';
import type { TargetSession } from './target-session.ts';

/** What becomes of links that are taken off a slot. No value of a row stands in an error. */
export type Holding = { readonly state: 'errored'; readonly error: LinkError } | { readonly state: 'paused' };

export class HeldStore {
  readonly #session: TargetSession;

  constructor(session: TargetSession) {
    this.#session = session;
  }

  /**
   * Puts links on a slot that was copied from theirs, at the position that theirs has reached.
   * @param confirmed position from which the copied slot can still be read
   * @throws XcError XC-5240 when that is past what the links have; XC-7002 when another run has taken over
   */
  async split(
    links: readonly LinkId[],
    from: string,
    to: { readonly slot: string; readonly confirmed: Lsn },
    holding: Holding,
  ): Promise<Lsn> {
    const { run } = this.#session.options;
    return await this.#session.transaction(async (client) => {
      const position = await this.#lockPosition(client, from);
      if (to.confirmed > position)
        throw new XcError('XC-5240', {
          subject: to.slot,
          why: `it begins at ${formatLsn(to.confirmed)}, the links are at ${formatLsn(position)}`,
        });
      await client.query(
        `INSERT INTO xcrepl.checkpoints (slot, stream, position, source_commit, runner)
         SELECT $2, stream, position, source_commit, $3 FROM xcrepl.checkpoints WHERE slot = $1`,
        [from, to.slot, run],
      );
      await client.query(COPY_CHUNKS, [from, to.slot, links, formatLsn(position)]);
      await client.query('UPDATE xcrepl.links SET slot = $2 WHERE link = ANY ($1)', [links, to.slot]);
      await this.#hold(client, links, holding, position);
      for (const link of links)
        await this.#session.audit(client, 'link.split', link, {
          from,
          to: to.slot,
          position: formatLsn(position),
          ...(await storable(client, detailOf(holding, position))),
        });
      return position;
    });
  }

  /** The links stay on the slot that they are on, which nothing else needs. */
  async holdInPlace(links: readonly LinkId[], slot: string, holding: Holding): Promise<Lsn> {
    return await this.#session.transaction(async (client) => {
      const position = await this.#lockPosition(client, slot);
      await this.#hold(client, links, holding, position);
      for (const link of links)
        await this.#session.audit(client, 'link.hold', link, {
          slot,
          ...(await storable(client, detailOf(holding, position))),
        });
      return position;
    });
  }

  /** What failed has passed: the links of the slot catch up, and can be merged. */
  async recovered(slot: string, position: Lsn): Promise<LinkId[]> {
    return await this.#session.transaction(async (client) => {
      const { rows } = await client.query<{ link: LinkId }>(
        `UPDATE xcrepl.links SET detail = detail - 'error' - 'why' - 'since', updated_at = clock_timestamp(),
                state = CASE WHEN consistent_at <= $2 THEN 'streaming' ELSE 'catching-up' END
          WHERE slot = $1 AND state = 'errored' RETURNING link`,
        [slot, formatLsn(position)],
      );
      for (const { link } of rows)
        await this.#session.audit(client, 'link.recover', link, { slot, position: formatLsn(position) });
      return rows.map(({ link }) => link);
    });
  }

  /**
   * What the slot kept is given up: its links need repair. From then on no checkpoint names the slot, so that whoever finds
   * it drops it.
   * @returns where they stand; null where one of them is held no more, and nothing was done
   */
  async expire(links: readonly LinkId[], slot: string, why: string): Promise<Lsn | null> {
    return await this.#session.transaction(async (client) => {
      const position = await this.#lockPosition(client, slot);
      // An operator may have resumed one a moment ago.
      const { rowCount } = await client.query(
        `SELECT FROM xcrepl.links WHERE slot = $1 AND state IN ('paused', 'errored') FOR UPDATE`,
        [slot],
      );
      if (rowCount !== links.length) return null;
      await client.query(
        `UPDATE xcrepl.links SET state = 'needs-repair', updated_at = clock_timestamp(),
                detail = detail - 'error' || jsonb_build_object('why', $2::text, 'position', $3::text)
          WHERE link = ANY ($1)`,
        [links, why, formatLsn(position)],
      );
      await client.query('DELETE FROM xcrepl.copy_chunks WHERE slot = $1', [slot]);
      await client.query('DELETE FROM xcrepl.checkpoints WHERE slot = $1', [slot]);
      for (const link of links)
        await this.#session.audit(client, 'link.expire', link, { slot, position: formatLsn(position), why });
      return position;
    });
  }

  /** Links that are being copied leave the slot, which the others need, with what was noted of their chunks. */
  async giveUp(links: readonly LinkId[], slot: string, why: string): Promise<void> {
    await this.#session.transaction(async (client) => {
      await this.#lockPosition(client, slot);
      const detail = await storable(client, { why });
      for (const link of links) {
        await client.query(
          `UPDATE xcrepl.links SET state = 'needs-repair', slot = $2, updated_at = clock_timestamp(),
                  detail = detail - 'error' - 'repair' || $3::jsonb WHERE link = $1 AND state = 'copying'`,
          [link, linkSlotName(link), JSON.stringify(detail)],
        );
        await this.#session.audit(client, 'link.hold', link, { slot, ...detail });
      }
      await client.query(
        `UPDATE xcrepl.copy_chunks SET links = ARRAY(SELECT unnest(links) EXCEPT SELECT unnest($2::text[]))
          WHERE slot = $1 AND links && $2`,
        [slot, links],
      );
      await client.query(`DELETE FROM xcrepl.copy_chunks WHERE slot = $1 AND links = '{}'`, [slot]);
    });
  }

  /** Of links that an error holds: why. */
  async errors(): Promise<Map<LinkId, LinkError>> {
    const { rows } = await this.#session.query<{ link: LinkId; error: LinkError }>(
      `SELECT link, detail -> 'error' AS error FROM xcrepl.links WHERE stream = $1 AND state = 'errored' ORDER BY link`,
      [this.#session.options.stream.key],
    );
    return new Map(rows.map(({ link, error }) => [link, error]));
  }

  /** A link whose end is asked for is held no other way: it goes. One that is not to be paused any more goes on. */
  async #hold(client: Client, links: readonly LinkId[], holding: Holding, position: Lsn): Promise<void> {
    await client.query(
      `UPDATE xcrepl.links
          SET state = CASE WHEN state = 'pausing' THEN 'paused' ELSE $2 END, updated_at = clock_timestamp(),
              detail = detail - 'error' - 'why' || jsonb_build_object('since', clock_timestamp()) || $3::jsonb ||
                CASE WHEN state = $2 AND detail ? 'since' THEN jsonb_build_object('since', detail -> 'since') ELSE '{}' END
        WHERE link = ANY ($1) AND state NOT IN ('stopping', 'dropping') AND ($2 <> 'paused' OR state IN ('pausing', 'paused'))`,
      [links, holding.state, JSON.stringify(await storable(client, detailOf(holding, position)))],
    );
  }

  async #lockPosition(client: Client, slot: string): Promise<Lsn> {
    const { run } = this.#session.options;
    const { rows } = await client.query<{ position: string; runner: string | null }>(
      'SELECT position, runner FROM xcrepl.checkpoints WHERE slot = $1 FOR UPDATE',
      [slot],
    );
    const [row] = rows;
    if (!row) throw new XcError('XC-5001', { subject: slot, why: 'the target has no checkpoint for it' });
    if (row.runner !== run)
      throw new XcError('XC-7002', {
        subject: slot,
        why: `run ${row.runner ?? 'unknown'} has taken it over`,
      });
    return parseLsn(row.position);
  }
}

/** `why` is what status shows, and a plan says of the link. */
const detailOf = (holding: Holding, position: Lsn): object =>
  holding.state === 'paused'
    ? { position: formatLsn(position) }
    : {
        position: formatLsn(position),
        error: holding.error,
        why: `${holding.error.code} ${holding.error.message}`,
      };

/**
 * What a later chunk already holds is still to be skipped on the new slot, where the copied links have not passed its
 * snapshot yet.
 */
const COPY_CHUNKS = `
  INSERT INTO xcrepl.copy_chunks (slot, table_name, chunk, links, cut_column, lower_bound, upper_bound, snapshot, position,
                                  rows, bytes, done_at, runner)
  SELECT $2, table_name, chunk, ARRAY(SELECT unnest(k.links) INTERSECT SELECT unnest($3::text[])), cut_column, lower_bound,
         upper_bound, snapshot, position, rows, bytes, done_at, runner
    FROM xcrepl.copy_chunks k
   WHERE slot = $1 AND links && $3::text[]
     AND EXISTS (SELECT FROM xcrepl.links l WHERE l.link = ANY ($3::text[]) AND l.consistent_at > $4::pg_lsn)`;
