/**
 * Taking a stream over from a run that is gone: who holds it, whether anything was heard from it lately, and the end of
 * exactly the sessions that it wrote down. Time is the target's alone: clocks of runners differ.
 */

import type { Client } from 'pg';
import { XcError } from '../../../core/errors/xc-error.ts';
import type { Holding } from '../../../core/replication/holding.ts';
import { codeOf } from '../pg-error.ts';
import { isUninitialised } from '../target-state.ts';
import type { RecordedSession, Side } from './beat.ts';
import { HOLDER, lockKey, nameHolder } from './lock.ts';
import type { EngineParts } from './parts.ts';

/** How long a session may take to end: it rolls back, or waits for a disk. */
const END_LIMIT_MS = 20_000;
const END_POLL_MS = 100;

const HOLDING = `
  SELECT h.pid AS holder, h.name, s.runner, s."silentMs", coalesce(s.sessions, '[]') AS sessions
    FROM (SELECT) one
    LEFT JOIN LATERAL (${HOLDER}) h ON true
    LEFT JOIN LATERAL (
      SELECT runner, CASE WHEN beat_run = runner THEN sessions END AS sessions,
             CASE WHEN beat_run = runner THEN (extract(epoch FROM clock_timestamp() - beat_at) * 1000)::float8 END AS "silentMs"
        FROM xcrepl.streams WHERE stream = $2) s ON true`;

interface HoldingRow {
  /** Process that has the lock. */
  readonly holder: number | null;
  readonly name: string | null;
  readonly runner: string | null;
  readonly silentMs: number | null;
  readonly sessions: readonly RecordedSession[];
}

interface Held {
  readonly holding: Holding;
  /** Run that has the stream, or had it and did not give it back. */
  readonly runner: string | null;
  readonly sessions: readonly RecordedSession[];
}

/** The run that has a stream, as one sees it that stands by. */
export class Holder {
  readonly #parts: TakeOverParts;
  /** The run whose sessions this one may end, as far as it has asked. */
  #mayEnd: string | null = null;

  constructor(parts: TakeOverParts) {
    this.#parts = parts;
  }

  /**
   * Who has it now. Whether that one could be replaced is asked while there is time to grant it.
   * @throws XcError XC-2016, XC-7012
   */
  async look(): Promise<Holding> {
    const { holding, runner, sessions } = await readHolding(this.#parts, this.#silentMs);
    if (holding.state === 'held' && runner !== this.#mayEnd) {
      await refuseUnableToEnd(this.#parts, sessions);
      this.#mayEnd = runner;
    }
    return holding;
  }

  /**
   * Of a run that stands by: before it locks, a silent holder loses its sessions; under the lock, so does whoever had the
   * stream last, because a run that lost its lock alone, or was killed just now, may have others still.
   * @throws XcError XC-7011, XC-7012, and what locking throws
   */
  async end(lock: () => Promise<unknown>): Promise<void> {
    if (!this.#parts.options.standby) return;
    await endSilent(this.#parts, this.#silentMs);
    await lock();
    const { runner, sessions } = await readHolding(this.#parts, this.#silentMs);
    if (runner !== null && runner !== this.#parts.options.run) await endSessions(this.#parts, sessions);
  }

  get #silentMs(): number {
    return this.#parts.options.standby?.silentMs ?? Number.POSITIVE_INFINITY;
  }
}

/** @throws XcError XC-2016 */
const readHolding = async (parts: TakeOverParts, silentMs: number): Promise<Held> => {
  const { stream } = parts.options;
  const client = await parts.control.reader();
  try {
    const { rows } = await client.query<HoldingRow>(HOLDING, [lockKey(stream.key), stream.key]);
    const row = rows[0]!;
    return { holding: judge(row, silentMs), runner: row.runner, sessions: row.sessions };
  } catch (error) {
    // undefined_column: the schema is of a version that knows no signs of life.
    if (!isUninitialised(error) && codeOf(error) !== '42703') throw error;
    const { region } = stream.target;
    throw new XcError('XC-2016', { subject: region, next: `xcrepl init --region ${region}` });
  }
};

type TakeOverParts = Pick<EngineParts, 'options' | 'control'>;

/** Silent is only who has the lock by a session of its own: a command that has it for a moment says nothing of itself. */
const judge = ({ holder, name, runner, silentMs, sessions }: HoldingRow, limitMs: number): Holding => {
  if (holder === null) return { state: 'free' };
  const by = nameHolder(name ?? '') ?? `process ${holder}`;
  const isRunner = runner !== null && sessions.some(({ side, pid }) => side === 'target' && pid === holder);
  if (!isRunner || silentMs === null || silentMs <= limitMs) return { state: 'held', by };
  return { state: 'silent', by, silentMs };
};

const endSilent = async (parts: TakeOverParts, silentMs: number): Promise<void> => {
  const { holding, sessions } = await readHolding(parts, silentMs);
  if (holding.state !== 'silent') return;
  parts.options.progress.note(
    `nothing was heard from ${holding.by} for ${Math.round(holding.silentMs / 1000)} s: its sessions are ended`,
  );
  await endSessions(parts, sessions);
};

const endSessions = async (parts: TakeOverParts, sessions: readonly RecordedSession[]): Promise<void> => {
  // The target first: there it can write.
  for (const side of ['target', 'source'] as const) await endOn(side, parts, sessions);
};

const THERE = `
  SELECT a.pid, a.usename AS role, a.backend_start IS NOT NULL
           AND (NOT r.rolsuper OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user))
           AND (pg_has_role(a.usesysid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE')) AS may
    FROM jsonb_to_recordset($1::jsonb) AS w(pid int, since timestamptz)
    JOIN pg_stat_activity a ON a.pid = w.pid AND (a.backend_start = w.since OR a.backend_start IS NULL)
    JOIN pg_roles r ON r.oid = a.usesysid`;

const END = `SELECT pg_terminate_backend(t.pid) FROM (${THERE} WHERE a.backend_start IS NOT NULL) t WHERE t.may`;

interface There {
  readonly pid: number;
  readonly role: string;
  /** Whether this role may see and end the session. */
  readonly may: boolean;
}

const endOn = async (side: Side, parts: TakeOverParts, all: readonly RecordedSession[]): Promise<void> => {
  const sessions = JSON.stringify(all.filter((one) => one.side === side));
  if (sessions === '[]') return;
  const { clock, signal } = parts.options;
  const client = await sessionOn(side, parts);
  const deadline = clock.nowMs() + END_LIMIT_MS;
  for (;;) {
    await client.query(END, [sessions]);
    const { rows } = await client.query<There>(THERE, [sessions]);
    if (rows.length === 0) return;
    // One of a run that was killed goes by itself in a moment, whoever may end it.
    if (clock.nowMs() >= deadline) throw refused(side, parts, rows);
    await clock.sleep(END_POLL_MS, signal);
  }
};

const sessionOn = (side: Side, { control }: TakeOverParts): Promise<Client> =>
  side === 'source' ? control.source() : control.reader();

/** @throws XcError XC-7012 */
const refuseUnableToEnd = async (
  parts: TakeOverParts,
  sessions: readonly RecordedSession[],
): Promise<void> => {
  for (const side of ['target', 'source'] as const) {
    const own = sessions.filter((one) => one.side === side);
    if (own.length === 0) continue;
    const { rows } = await (await sessionOn(side, parts)).query<There>(THERE, [JSON.stringify(own)]);
    if (rows.some(({ may }) => !may)) throw refused(side, parts, rows);
  }
};

const refused = (side: Side, { options }: TakeOverParts, there: readonly There[]): XcError => {
  const { region } = options.stream[side];
  const foreign = there.filter(({ may }) => !may);
  const pids = (list: readonly There[]): string => list.map(({ pid }) => pid).join(', ');
  if (foreign.length === 0)
    return new XcError('XC-7011', {
      subject: region,
      why: `still there after ${END_LIMIT_MS / 1000} s: pid ${pids(there)}`,
    });
  const [{ role }] = foreign as [There];
  return new XcError('XC-7012', {
    subject: region,
    why: `role ${role} has the sessions of the run that is stood by for (pid ${pids(foreign)})`,
    next: `on ${region}: GRANT pg_signal_backend, pg_read_all_stats TO the role of this run; or give both runs the same role, as it has to be where ${role} is a superuser`,
  });
};
