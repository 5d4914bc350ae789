/**
 * What decides, in the target: streams, checkpoints and links, in the schema xcrepl. A run takes a
 * stream over by writing its own name into it; from then on nothing that an earlier run still sends can commit.
 */

import type { Client } from 'pg';
import { formatLsn, parseLsn, type Lsn } from '../../../core/change/lsn.ts';
import type { LinkState } from '../../../core/plan/facts.ts';
import { slotName, type Link, type LinkId, type StreamKey } from '../../../core/topology/link.ts';
import type { TableName } from '../../../core/topology/table.ts';
import type { ServerIdentity } from '../identity.ts';
import type { Beat } from './beat.ts';
import type { Sides } from './parts.ts';
import { writePlaces } from './rule-places.ts';
import { writeTables } from './table-store.ts';
import type { TargetSession } from './target-session.ts';

export interface StoredLink {
  readonly link: LinkId;
  readonly slot: string;
  readonly state: LinkState;
  readonly from: Lsn | null;
  readonly consistentAt: Lsn | null;
  /** Stopped, and taken off the stream. */
  readonly off: boolean;
}

/** The source that links are read from anew. */
export type Repaired = Pick<ServerIdentity, 'systemIdentifier' | 'timeline'>;

export class LinkStore {
  readonly #session: TargetSession;

  constructor(session: TargetSession) {
    this.#session = session;
  }

  /** The region's epoch: what this run holds for as long as it runs. */
  async epoch(): Promise<number> {
    const { rows } = await this.#session.query<{ epoch: string }>(
      'SELECT last_value AS epoch FROM xcrepl.epoch',
    );
    return Number(rows[0]?.epoch);
  }

  /** Which source the stream's positions belong to stays as it is where there are any: a start of the stream judges it. */
  async takeOver(source: ServerIdentity, beat: Pick<Beat, 'sessions'>): Promise<void> {
    const { stream, controlPlane, run, host, pid } = this.#session.options;
    await this.#session.transaction(async (client) => {
      await client.query(
        `INSERT INTO xcrepl.streams (stream, control_plane, source_region, source_database, target_region, target_database,
                                     source_system, source_timeline, runner, runner_since, beat_at, beat_run, sessions)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, clock_timestamp(), clock_timestamp(), $9, $10)
         ON CONFLICT (stream) DO UPDATE SET runner = excluded.runner, runner_since = excluded.runner_since,
           beat_at = excluded.beat_at, beat_run = excluded.beat_run, sessions = excluded.sessions`,
        [
          stream.key,
          controlPlane,
          stream.source.region,
          stream.source.database,
          stream.target.region,
          stream.target.database,
          source.systemIdentifier,
          source.timeline,
          run,
          beat.sessions(),
        ],
      );
      await client.query(
        `UPDATE xcrepl.streams s SET source_system = $2, source_timeline = $3
          WHERE stream = $1 AND NOT EXISTS (SELECT FROM xcrepl.checkpoints c WHERE c.stream = s.stream)`,
        [stream.key, source.systemIdentifier, source.timeline],
      );
      await client.query('UPDATE xcrepl.checkpoints SET runner = $2 WHERE stream = $1', [stream.key, run]);
      await client.query(
        'UPDATE xcrepl.copy_chunks SET runner = $2 WHERE done_at IS NULL AND slot IN (SELECT slot FROM xcrepl.checkpoints WHERE stream = $1)',
        [stream.key, run],
      );
      await client.query(
        `INSERT INTO xcrepl.replication_jobs (run, stream, kind, host, pid) VALUES ($1, $2, 'replicate', $3, $4)
         ON CONFLICT (run) DO NOTHING`,
        [`${run}/${stream.key}`, stream.key, host, pid],
      );
    });
  }

  /** The source that the stream's positions belong to; null before it was recorded. */
  async knownSource(): Promise<{ systemIdentifier: string; timeline: number } | null> {
    const { rows } = await this.#session.query<{ systemIdentifier: string; timeline: number }>(
      `SELECT source_system AS "systemIdentifier", source_timeline AS timeline FROM xcrepl.streams WHERE stream = $1`,
      [this.#session.options.stream.key],
    );
    return rows[0] ?? null;
  }

  /** From now on positions belong to this source: it was judged, or everything is read from it anew. */
  async trustSource({ systemIdentifier, timeline }: Repaired): Promise<void> {
    await this.#session.transaction((client) =>
      trust(client, this.#session.options.stream.key, { systemIdentifier, timeline }),
    );
  }

  /** Slots of the stream that neither a link nor a joining table is on any more, other than its own. */
  async emptySlots(): Promise<string[]> {
    const { rows } = await this.#session.query<{ slot: string }>(
      `SELECT slot FROM xcrepl.checkpoints c WHERE stream = $1 AND slot <> $2
          AND NOT EXISTS (SELECT FROM xcrepl.links l WHERE l.slot = c.slot)
          AND NOT EXISTS (SELECT FROM xcrepl.carried_tables t WHERE t.slot = c.slot) ORDER BY slot`,
      [this.#session.options.stream.key, this.mainSlot],
    );
    return rows.map((row) => row.slot);
  }

  /** Positions and chunks of slots that are gone. */
  async forgetSlots(slots: readonly string[]): Promise<void> {
    await this.#session.transaction(async (client) => {
      await client.query('DELETE FROM xcrepl.checkpoints WHERE slot = ANY ($1)', [slots]);
      await client.query('DELETE FROM xcrepl.copy_chunks WHERE slot = ANY ($1)', [slots]);
    });
  }

  /**
   * The run leaves the stream in good order: nobody drains it any more. A killed one leaves that to be found out.
   * @param outcome for status: "released", or why the stream ended
   */
  async release(outcome: string): Promise<void> {
    const { stream, run } = this.#session.options;
    await this.#session.transaction(async (client) => {
      await client.query(
        'UPDATE xcrepl.replication_jobs SET ended_at = clock_timestamp(), outcome = $2 WHERE run = $1',
        [`${run}/${stream.key}`, outcome],
      );
      await client.query('UPDATE xcrepl.streams SET runner = NULL WHERE stream = $1 AND runner = $2', [
        stream.key,
        run,
      ]);
    });
  }

  async links(): Promise<StoredLink[]> {
    const { rows } = await this.#session.query<
      Record<'link' | 'slot' | 'state', string> &
        Record<'from' | 'consistent', string | null> & { off: boolean }
    >(
      `SELECT link, slot, state, from_position AS "from", consistent_at AS consistent,
              coalesce((detail ->> 'takenOff')::boolean, false) AS off
         FROM xcrepl.links WHERE stream = $1 ORDER BY link`,
      [this.#session.options.stream.key],
    );
    return rows.map((row) => ({
      link: row.link,
      slot: row.slot,
      state: row.state as LinkState,
      from: row.from === null ? null : parseLsn(row.from),
      consistentAt: row.consistent === null ? null : parseLsn(row.consistent),
      off: row.off,
    }));
  }

  async linkIds(): Promise<LinkId[]> {
    return (await this.links()).map(({ link }) => link);
  }

  async checkpoint(slot: string): Promise<Lsn | null> {
    const { rows } = await this.#session.query<{ position: string }>(
      'SELECT position FROM xcrepl.checkpoints WHERE slot = $1',
      [slot],
    );
    return rows[0] ? parseLsn(rows[0].position) : null;
  }

  /** Slots of the stream that have a checkpoint. */
  async slots(): Promise<string[]> {
    const { rows } = await this.#session.query<{ slot: string }>(
      'SELECT slot FROM xcrepl.checkpoints WHERE stream = $1',
      [this.#session.options.stream.key],
    );
    return rows.map((row) => row.slot);
  }

  /** A slot was created at its consistent point: its checkpoint begins there, and its links are being copied. */
  async beginCopy(
    slot: string,
    position: Lsn,
    links: readonly Link[],
    sides: Pick<Sides, 'source' | 'tables'>,
    repair: Repaired | null = null,
  ): Promise<void> {
    const { stream, run } = this.#session.options;
    await this.#session.transaction(async (client) => {
      if (repair) {
        await client.query('DELETE FROM xcrepl.copy_chunks WHERE slot = $1', [slot]);
        // With the checkpoint, or a crash between would leave a position of one source under the name of another.
        if (slot === this.mainSlot) await trust(client, stream.key, repair);
      }
      await client.query(
        `INSERT INTO xcrepl.checkpoints (slot, stream, position, runner) VALUES ($1, $2, $3, $4)
         ON CONFLICT (slot) DO UPDATE SET position = excluded.position, runner = excluded.runner`,
        [slot, stream.key, formatLsn(position), run],
      );
      await writePlaces(client, stream.key, links, sides.source, (link) => sides.tables.get(link.id)!);
      for (const link of links) {
        await client.query(
          `INSERT INTO xcrepl.links (link, stream, rule, tenant, source_region, target_region, slot, from_position, state, detail)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'copying', $9)
           ON CONFLICT (link) DO UPDATE SET slot = excluded.slot, from_position = excluded.from_position, state = 'copying',
             consistent_at = NULL, detail = excluded.detail, updated_at = clock_timestamp(), began_at = clock_timestamp()`,
          [
            link.id,
            stream.key,
            link.rule.id,
            link.tenant,
            link.source,
            link.target,
            slot,
            formatLsn(position),
            JSON.stringify(repair ? { repair: true } : {}),
          ],
        );
        const action = repair ? 'link.repair' : 'link.copy';
        await this.#session.audit(client, action, link.id, { slot, position: formatLsn(position) });
      }
      await writeTables(client, links, sides);
    });
  }

  /** Links of the slot whose tables are all copied begin to catch up; consistent past the newest snapshot of a chunk. */
  async beginStreaming(
    links: readonly { readonly link: LinkId; readonly consistentAt: Lsn }[],
  ): Promise<void> {
    await this.#session.transaction(async (client) => {
      for (const { link, consistentAt } of links) {
        await client.query(
          `UPDATE xcrepl.links SET state = 'catching-up', consistent_at = $2, detail = detail - 'repair', updated_at = clock_timestamp()
            WHERE link = $1 AND state = 'copying'`,
          [link, formatLsn(consistentAt)],
        );
        await this.#session.audit(client, 'link.stream', link, { consistentAt: formatLsn(consistentAt) });
      }
    });
  }

  /** Links on the slot that have passed their point of consistency. */
  async settleCatchingUp(slot: string, position: Lsn): Promise<void> {
    await this.#session.query(
      `UPDATE xcrepl.links SET state = 'streaming', updated_at = clock_timestamp()
        WHERE slot = $1 AND state = 'catching-up' AND consistent_at <= $2`,
      [slot, formatLsn(position)],
    );
  }

  /** Of links whose last verification passed: the tables that changed since. One of which that is not known is left out. */
  async changedTables(): Promise<Map<LinkId, TableName[]>> {
    const { rows } = await this.#session.query<{ link: string; changed: TableName[] }>(
      `SELECT link, detail->'changed' AS changed FROM xcrepl.links
        WHERE stream = $1 AND verdict = 'pass' AND jsonb_typeof(detail->'changed') = 'array'`,
      [this.#session.options.stream.key],
    );
    return new Map(rows.map((row) => [row.link, row.changed]));
  }

  /** Before changes flow: until the run says which tables they were of, any may have changed. */
  async distrust(slot: string): Promise<void> {
    await this.#session.query(
      `UPDATE xcrepl.links SET detail = detail - 'changed' WHERE slot = $1 AND detail ? 'changed'`,
      [slot],
    );
  }

  async writeChanged(link: LinkId, tables: readonly TableName[]): Promise<void> {
    await this.#session.query(
      `UPDATE xcrepl.links SET detail = jsonb_set(detail, '{changed}', $2) WHERE link = $1`,
      [link, JSON.stringify(tables)],
    );
  }

  async succeeded(slot: string): Promise<void> {
    await this.#session.query(
      `UPDATE xcrepl.links SET last_success_at = clock_timestamp() WHERE slot = $1 AND state IN ('catching-up', 'streaming')`,
      [slot],
    );
  }

  async verified(link: LinkId, verdict: 'pass' | 'fail' | 'unknown'): Promise<void> {
    await this.#session.query(
      'UPDATE xcrepl.links SET verified_at = clock_timestamp(), verdict = $2 WHERE link = $1',
      [link, verdict],
    );
  }

  /** Moves links to another slot, from a position that both sides have behind them; forgets the slot that they leave. */
  async moveLinks(
    links: readonly LinkId[],
    from: { slot: string },
    to: { slot: string; position: Lsn },
  ): Promise<void> {
    await this.#session.transaction(async (client) => {
      await client.query(
        `UPDATE xcrepl.links SET slot = $2, from_position = $3, updated_at = clock_timestamp() WHERE link = ANY ($1)`,
        [links, to.slot, formatLsn(to.position)],
      );
      await client.query('DELETE FROM xcrepl.copy_chunks WHERE slot = $1', [from.slot]);
      await client.query('DELETE FROM xcrepl.checkpoints WHERE slot = $1', [from.slot]);
      for (const link of links)
        await this.#session.audit(client, 'link.merge', link, {
          from: from.slot,
          to: to.slot,
          position: formatLsn(to.position),
        });
    });
  }

  /** A stopping link keeps its row as the mark that it was stopped, and no slot of its own; others go. */
  async removeLinks(links: readonly LinkId[]): Promise<number> {
    return await this.#session.transaction(async (client) => {
      const kept = await client.query(
        `UPDATE xcrepl.links SET detail = detail || '{"takenOff": true}', slot = $2, updated_at = clock_timestamp()
          WHERE link = ANY ($1) AND state = 'stopping'`,
        [links, this.mainSlot],
      );
      const gone = await client.query(
        `DELETE FROM xcrepl.links WHERE link = ANY ($1) AND state <> 'stopping'`,
        [links],
      );
      await client.query('DELETE FROM xcrepl.carried_tables WHERE link = ANY ($1)', [links]);
      for (const link of links) await this.#session.audit(client, 'link.remove', link, {});
      return (kept.rowCount ?? 0) + (gone.rowCount ?? 0);
    });
  }

  async deleteLink(link: LinkId): Promise<boolean> {
    return await this.#session.transaction(async (client) => {
      const { rowCount } = await client.query('DELETE FROM xcrepl.links WHERE link = $1', [link]);
      if (rowCount) await this.#session.audit(client, 'link.drop', link, {});
      return (rowCount ?? 0) > 0;
    });
  }

  /**
   * Another stream, where no link is on it or its slot.
   * @returns whether nothing of it is left here
   */
  async forgetStream(key: StreamKey): Promise<boolean> {
    return await this.#session.transaction(async (client) => {
      const used = await client.query(
        `SELECT FROM xcrepl.links WHERE stream = $1 OR slot IN (SELECT slot FROM xcrepl.checkpoints WHERE stream = $1) OR slot = $2`,
        [key, slotName(key)],
      );
      if ((used.rowCount ?? 0) > 0) return false;
      await client.query('DELETE FROM xcrepl.checkpoints WHERE stream = $1', [key]);
      await client.query('DELETE FROM xcrepl.streams WHERE stream = $1', [key]);
      return true;
    });
  }

  /** Everything of the stream, once it has no link. */
  async deleteStream(): Promise<void> {
    const { key } = this.#session.options.stream;
    await this.#session.transaction(async (client) => {
      await client.query(
        'DELETE FROM xcrepl.copy_chunks WHERE slot IN (SELECT slot FROM xcrepl.checkpoints WHERE stream = $1)',
        [key],
      );
      await client.query('DELETE FROM xcrepl.checkpoints WHERE stream = $1', [key]);
      await client.query('DELETE FROM xcrepl.streams WHERE stream = $1', [key]);
    });
  }

  get mainSlot(): string {
    return slotName(this.#session.options.stream.key);
  }
}

const trust = async (
  client: Pick<Client, 'query'>,
  stream: string,
  { systemIdentifier, timeline }: Repaired,
): Promise<void> => {
  await client.query(
    `UPDATE xcrepl.streams SET source_system = $2, source_timeline = $3
      WHERE stream = $1 AND (source_system, source_timeline) IS DISTINCT FROM ($2, $3)`,
    [stream, systemIdentifier, timeline],
  );
};
