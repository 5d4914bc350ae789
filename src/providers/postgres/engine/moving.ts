/**
 * Links that change their stream, because their rule was made dedicated or is so no more. Changes up to one position come by
 * the one stream, those after it by the other (CORRECTNESS 4).
 */

import { formatLsn, maxLsn, parseLsn, ZERO_LSN, type Lsn } from '../../../core/change/lsn.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import type { MoveLinks } from '../../../core/plan/plan.ts';
import type { Moved } from '../../../core/replication/engine.ts';
import { copySlotName, slotName, type LinkId, type Stream } from '../../../core/topology/link.ts';
import { adoptTables } from './adopt-tables.ts';
import { disconnect } from '../connect.ts';
import type { StoredLink } from './link-store.ts';
import { takeLock } from './lock.ts';
import type { EngineParts } from './parts.ts';
import { dropStream, emptyStream } from './removal.ts';
import { createSlot, dropSlot } from './slots.ts';
import type { Streams } from './streams.ts';

/** With the links that stand on it by chance of an earlier configuration: their changes are not to be passed by. */
export const withOthers = (stream: Stream): Stream => ({
  key: stream.key,
  source: stream.source,
  target: stream.target,
  ...(stream.otherKeys ? { otherKeys: stream.otherKeys } : {}),
  get links() {
    return [...stream.links, ...(stream.others ?? [])];
  },
});

/**
 * The receiving stream has its publications and its slot, whose consistent point B is behind every transaction that was
 * running when they came. This one goes on until it is at or past B, stands at H, and gives the links away: what commits up
 * to H it has applied, the rest comes by the other slot, whose changes up to H are skipped.
 */
export const handOver = async (
  parts: EngineParts,
  streams: Streams,
  { links: named, stream: to }: MoveLinks,
  epoch: number,
  signal: AbortSignal,
): Promise<Moved> => {
  const { store } = parts;
  const ready = async (): Promise<StoredLink[]> =>
    (await store.links()).filter(
      (row) => named.includes(row.link) && isFlowing(row) && row.slot === store.mainSlot,
    );
  const rows = await ready();
  if (rows.length === 0) return NOTHING;
  const begins = await store.checkpoint(slotName(to));
  if (begins === null)
    throw new XcError('XC-5243', { subject: named.join(', '), why: `stream ${to} has no slot yet` });
  const ahead = rows.map(({ consistentAt }) => consistentAt ?? ZERO_LSN).reduce(maxLsn, begins);
  if ((await streams.position(store.mainSlot)) < ahead)
    await streams.run(store.mainSlot, ahead, epoch, signal);
  signal.throwIfAborted();
  const links = (await ready()).map(({ link }) => link);
  const position = await give(parts, links, to, ahead);
  const left = await store.links();
  const removed =
    left.length === 0
      ? await dropStream(parts)
      : left.every(({ off }) => off)
        ? await emptyStream(parts)
        : [];
  return { links: links.length, position, removed };
};

const NOTHING: Moved = { links: 0, position: null, removed: [] };

const isFlowing = ({ state }: StoredLink): boolean => state === 'streaming' || state === 'catching-up';

/** @param passed up to which nothing is left to be applied, also where the last commit was before it */
const give = async (
  { session, store }: EngineParts,
  links: readonly LinkId[],
  to: string,
  passed: Lsn,
): Promise<Lsn> => {
  const { run, stream } = session.options;
  return await session.transaction(async (client) => {
    const point = async (slot: string): Promise<Lsn> => {
      const { rows } = await client.query<{ position: string }>(
        'SELECT position FROM xcrepl.checkpoints WHERE slot = $1 AND runner = $2 FOR UPDATE',
        [slot, run],
      );
      if (!rows[0]) throw new XcError('XC-7002', { subject: slot, why: 'another run has taken it over' });
      return parseLsn(rows[0].position);
    };
    const here = maxLsn(await point(store.mainSlot), passed);
    const there = await point(slotName(to));
    if (there > here)
      throw new XcError('XC-5243', {
        subject: slotName(to),
        why: `it is at ${formatLsn(there)}, past ${formatLsn(here)}`,
      });
    await client.query(
      `UPDATE xcrepl.checkpoints c SET position = $3, source_commit = m.source_commit
         FROM xcrepl.checkpoints m WHERE c.slot = $1 AND m.slot = $2`,
      [slotName(to), store.mainSlot, formatLsn(here)],
    );
    for (const copy of [COPY_PLACES, COPY_SHAPES]) await client.query(copy, [stream.key, to, links]);
    await client.query(
      `UPDATE xcrepl.links SET stream = $2, slot = $3, from_position = $4, updated_at = clock_timestamp()
        WHERE link = ANY ($1)`,
      [links, to, slotName(to), formatLsn(here)],
    );
    for (const link of links)
      await session.audit(client, 'link.move', link, { from: stream.key, to, position: formatLsn(here) });
    return here;
  });
};

/** What an earlier turn on that stream left of the rule counts no more. */
const COPY_PLACES = `
  INSERT INTO xcrepl.rule_places (stream, rule, table_name, target_table, columns)
  SELECT $2, rule, table_name, target_table, columns FROM xcrepl.rule_places
   WHERE stream = $1 AND rule IN (SELECT rule FROM xcrepl.links WHERE link = ANY ($3))
  ON CONFLICT (stream, rule, table_name) DO UPDATE SET target_table = excluded.target_table, columns = excluded.columns`;

/** A table that was rewritten since the other stream looked at it is found by this one. */
const COPY_SHAPES = `
  INSERT INTO xcrepl.table_shapes (stream, relation, table_name, shape)
  SELECT $2, relation, table_name, shape FROM xcrepl.table_shapes s WHERE stream = $1
     AND EXISTS (SELECT FROM xcrepl.carried_tables t WHERE t.link = ANY ($3) AND t.relation = s.relation)
  ON CONFLICT DO NOTHING`;

/**
 * Nobody runs the other stream: its slot becomes a side slot of this one, still read under its own publications, and its
 * links join from there. They are consistent with this stream only past a point behind every transaction that was running
 * when their rows came into its publications.
 */
export const adopt = async (parts: EngineParts, step: MoveLinks, version: number): Promise<Moved> => {
  const { sessions, options, session } = parts;
  const lock = await sessions.target('control');
  try {
    await takeLock(lock, step.from, options.lockTimeoutMs, options.clock, options.signal);
    await adoptTables(parts, step.from);
    const behind = await consistentPoint(parts, version);
    return await session.transaction(async (client) => {
      const { rows } = await client.query<{ link: LinkId; slot: string; state: string }>(
        'SELECT link, slot, state FROM xcrepl.links WHERE stream = $1 FOR UPDATE',
        [step.from],
      );
      if (rows.length === 0) return NOTHING;
      const strange = rows.filter(
        ({ link, slot }) => !step.links.includes(link) || slot !== slotName(step.from),
      );
      if (strange.length > 0)
        throw new XcError('XC-5243', {
          subject: `stream ${step.from}`,
          why: `it also has ${strange.map(({ link, state, slot }) => `${link} (${state} on ${slot})`).join(', ')}`,
        });
      const { key, source, target } = options.stream;
      await client.query('UPDATE xcrepl.checkpoints SET stream = $2, runner = $3 WHERE stream = $1', [
        step.from,
        key,
        options.run,
      ]);
      await client.query(
        `UPDATE xcrepl.links SET stream = $2, consistent_at = greatest(consistent_at, $3), updated_at = clock_timestamp(),
                state = CASE WHEN state = 'streaming' THEN 'catching-up' ELSE state END WHERE stream = $1`,
        [step.from, key, formatLsn(behind)],
      );
      for (const copy of [COPY_PLACES, COPY_SHAPES])
        await client.query(copy, [step.from, key, rows.map(({ link }) => link)]);
      await client.query('DELETE FROM xcrepl.streams WHERE stream = $1', [step.from]);
      for (const { link } of rows)
        await session.audit(client, 'link.move', link, {
          from: step.from,
          to: key,
          source: source.region,
          target: target.region,
        });
      return { links: rows.length, position: behind, removed: [] };
    });
  } finally {
    await disconnect(lock);
  }
};

/** Where a slot that is made now would begin: past every transaction that is running now. */
const consistentPoint = async (
  { sessions, control, options }: EngineParts,
  version: number,
): Promise<Lsn> => {
  const slot = copySlotName(options.stream.key, 'point');
  await dropSlot(await control.source(), slot);
  const { position, snapshot } = await createSlot(sessions, slot, false, version);
  await snapshot[Symbol.asyncDispose]();
  await dropSlot(await control.source(), slot);
  return position;
};
