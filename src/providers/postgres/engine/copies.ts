/** The copies of an engine that are under way, by slot: the snapshot that they read under, and when they are done. */

import { isXcError, XcError } from '../../../core/errors/xc-error.ts';
import { maxLsn, ZERO_LSN } from '../../../core/change/lsn.ts';
import { RENEW_AFTER_MS } from '../../../core/metrics/copy-snapshot.ts';
import { addLacking, mayBeAdded } from './additive.ts';
import { openCopySession, type CopySession } from './copy-table.ts';
import { tableNameSql } from '../quote.ts';
import { unlessMoved } from './schema-moved.ts';
import { linksNamed, readSides, type EngineParts } from './parts.ts';
import { ShapeStore } from './shape-store.ts';
import { laterSnapshot, type HeldSnapshot } from './snapshots.ts';
import { readTenantValues } from './tenant-values.ts';

const RELATIONS = `
  SELECT c.oid AS relation, ${tableNameSql('n.nspname', 'c.relname')} AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.oid = ANY ($1::oid[])`;

export class Copies implements AsyncDisposable {
  readonly #parts: EngineParts;
  readonly #sessions = new Map<string, CopySession>();
  readonly #beganMs = new Map<string, number>();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /**
   * For a table: the slot's own snapshot for as long as it lives, and one of now after that. An old one is let go, because
   * the source's VACUUM waits for it (CORRECTNESS 8); nobody else reads under it, as a slot's tables are copied in turn.
   */
  async session(slot: string): Promise<CopySession> {
    const held = this.#sessions.get(slot);
    const { renewSnapshotMs = RENEW_AFTER_MS } = this.#parts.options;
    if (held?.snapshot.alive() && this.#ageMs(slot) < renewSnapshotMs) return held;
    return await this.begin(slot, await laterSnapshot(this.#parts.sessions));
  }

  /** Of the oldest snapshot that is held; 0 where none is. */
  get oldestMs(): number {
    return Math.max(0, ...[...this.#sessions.keys()].map((slot) => this.#ageMs(slot)));
  }

  #ageMs(slot: string): number {
    const nowMs = this.#parts.options.clock.nowMs();
    return nowMs - (this.#beganMs.get(slot) ?? nowMs);
  }

  /** Takes the snapshot over: it is let go with the session, or here when there will be none. */
  async begin(slot: string, snapshot: HeldSnapshot): Promise<CopySession> {
    await this.#close(slot);
    try {
      const { store, tables, options, control } = this.#parts;
      const carried = new Set(
        [...(await store.links()).filter((link) => link.slot === slot), ...(await tables.joining(slot))].map(
          ({ link }) => link,
        ),
      );
      const links = options.stream.links.filter((link) => carried.has(link.id));
      const sides = await readSides(this.#parts, links, { meant: { slot } });
      const tenants = await readTenantValues(await control.source(), links, sides.source);
      const notes = await new ShapeStore(this.#parts.session).read();
      const session = openCopySession({ snapshot, sides, tenants, notes });
      this.#sessions.set(slot, session);
      this.#beganMs.set(slot, this.#parts.options.clock.nowMs());
      return session;
    } catch (error) {
      await snapshot[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * What broke a copy, in the light of what both sides look like now. Where they moved, the session ends, and the next
   * attempt begins one with a snapshot and catalogues of then; chunks that are done stay done.
   */
  async judged(slot: string, failure: unknown): Promise<unknown> {
    const session = this.#sessions.get(slot);
    if (!session) return failure;
    const links = linksNamed(this.#parts, [...session.sides.tables.keys()]);
    const judged = await unlessMoved(failure, session.sides, () =>
      readSides(this.#parts, links, { meant: { slot } }),
    );
    if (isXcError(judged) && mayBeAdded(judged, this.#parts)) {
      await addLacking(judged, this.#parts.session);
      await this.#close(slot);
      return new XcError('XC-5207', { why: 'the target was given what it lacked', cause: judged });
    }
    if (isXcError(judged, 'XC-5207')) await this.#close(slot);
    return judged;
  }

  /** Links whose tables are all copied go over to the stream; the snapshot that they were read under is let go. */
  async end(slot: string): Promise<void> {
    const { store, chunks } = this.#parts;
    if (await this.#endTables(slot)) await this.#close(slot);
    const copying = (await store.links()).filter((link) => link.slot === slot && link.state === 'copying');
    if (copying.length === 0) return;
    const links = linksNamed(
      this.#parts,
      copying.map((link) => link.link),
    );
    const { tables } = await readSides(this.#parts, links, { meant: { slot } });
    const all = await chunks.read(slot);
    const done = links.flatMap((link) => {
      const own = all.filter((chunk) => chunk.links.includes(link.id));
      const complete = [...tables.get(link.id)!].every((table) => own.some((chunk) => chunk.table === table));
      if (!complete || own.some((chunk) => !chunk.done)) return [];
      const from = copying.find((one) => one.link === link.id)!.from ?? ZERO_LSN;
      const consistentAt = own.map((chunk) => chunk.position ?? ZERO_LSN).reduce(maxLsn, from);
      return [{ link: link.id, consistentAt }];
    });
    await store.beginStreaming(done);
    if (done.length < copying.length) return;
    await this.#close(slot);
  }

  /** @returns whether tables join on the slot, and all of them are copied */
  async #endTables(slot: string): Promise<boolean> {
    const { tables, chunks, control } = this.#parts;
    const joining = await tables.joining(slot);
    const copying = joining.filter(({ consistentAt }) => consistentAt === null);
    if (copying.length === 0) return joining.length > 0;
    const byTable = Map.groupBy(await chunks.read(slot), ({ table }) => table);
    const { rows } = await (
      await control.source()
    ).query<{ relation: string; name: string }>(RELATIONS, [copying.map(({ relation }) => relation)]);
    const names = new Map(rows.map(({ relation, name }) => [Number(relation), name]));
    const done = copying.flatMap(({ relation, from, link }) => {
      const own = (byTable.get(names.get(relation) ?? '') ?? []).filter(({ links }) => links.includes(link));
      if (own.length === 0 || own.some((chunk) => !chunk.done)) return [];
      return [
        {
          link,
          relation,
          consistentAt: own.map(({ position }) => position ?? ZERO_LSN).reduce(maxLsn, from!),
        },
      ];
    });
    await tables.copied(slot, done);
    return done.length === copying.length;
  }

  async #close(slot: string): Promise<void> {
    const session = this.#sessions.get(slot);
    this.#sessions.delete(slot);
    await session?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#sessions.values()].map((session) => session[Symbol.asyncDispose]()));
    this.#sessions.clear();
  }
}
