/**
 * The engine of one stream: what each step of a plan does on the two servers. It holds the stream's lock and the
 * snapshots that copies read under; how rows move stands in the files beside it.
 */

import type { Lsn } from '../../../core/change/lsn.ts';
import type {
  CopyTable,
  CreateSlot,
  MergeLinks,
  PublishTables,
  MoveLinks,
  RemoveLinks,
  SplitLinks,
  RepairRows,
  RemoveTables,
  StreamChanges,
  Verify,
} from '../../../core/plan/plan.ts';
import type {
  Compared,
  CompareRequest,
  Copied,
  EngineProgress,
  ErroredLink,
  Moved,
  RepairedRows,
  SelfTested,
  SelfTestRequest,
  StreamEngine,
  Streamed,
} from '../../../core/replication/engine.ts';
import { isXcError } from '../../../core/errors/xc-error.ts';
import { beginJoining, mergeTables, refuseNotBegun } from './join-tables.ts';
import {
  insertOnlyPublicationName,
  publicationName,
  type LinkId,
  type Stream,
} from '../../../core/topology/link.ts';
import type { TableName } from '../../../core/topology/table.ts';
import { readIdentity } from '../identity.ts';
import type { Holding } from '../../../core/replication/holding.ts';
import { Beat } from './beat.ts';
import { ChangedTables } from './changed-tables.ts';
import { ChunkStore } from './chunk-store.ts';
import { Control } from './control.ts';
import { Copies } from './copies.ts';
import { adoptTables } from './adopt-tables.ts';
import { beginRepair } from './begin-repair.ts';
import { setCopyAside } from './copy-faults.ts';
import { copyOneTable } from './copy-table.ts';
import { refuseExisting } from './existing-rows.ts';
import { expireHeld } from './held-budget.ts';
import { HeldStore } from './held-store.ts';
import { LinkStore } from './link-store.ts';
import { mergeLinks } from './merging.ts';
import type { EngineOptions } from './options.ts';
import { linksNamed, readSides, throughOutages, type EngineParts, type Sides } from './parts.ts';
import { adopt, handOver, withOthers } from './moving.ts';
import { pauseLinks } from './pause.ts';
import { publish } from './publications.ts';
import { repairRows } from './repair-rows.ts';
import { dropEmptySlots, dropFormerStreams, dropLink, dropStream, emptyStream } from './removal.ts';
import { asXcError } from './retry.ts';
import { unlessMoved } from './schema-moved.ts';
import { carrySequences } from './sequences.ts';
import { selfTestLinks } from './self-test.ts';
import { Sessions } from './sessions.ts';
import { ShapeWatch } from './shape-watch.ts';
import { dropAbandonedLinkSlots } from './link-slots.ts';
import { createSlot, dropAbandonedSlots, dropSlot, slotExists } from './slots.ts';
import { emitMarker } from './snapshots.ts';
import { Streams } from './streams.ts';
import { Holder } from './take-over.ts';
import { TableStore } from './table-store.ts';
import { TargetSession } from './target-session.ts';
import { compareLinks } from './compare-links.ts';
import { Upkeep } from './upkeep.ts';
import { verifyStream } from './verify-links.ts';

type Verified = Awaited<ReturnType<StreamEngine['verify']>>;

export class PostgresEngine implements StreamEngine {
  readonly #parts: EngineParts;
  readonly #holder: Holder;
  readonly #copies: Copies;
  readonly #upkeep: Upkeep;
  readonly #streams: Streams;
  readonly #shapes: ShapeWatch;
  /** With the links that the configuration has on it. */
  readonly #given: Stream;
  #handing: Promise<unknown> = Promise.resolve();
  #changed = new ChangedTables();
  /** Links whose copies met a row that cannot be brought. */
  readonly #givenUp: ErroredLink[] = [];
  #epoch = 0;
  #sourceVersion = 0;
  /** How the stream last ended, in words that name no value of a row. */
  #outcome = 'released';

  constructor(given: EngineOptions) {
    this.#given = given.stream;
    const options = { ...given, stream: withOthers(given.stream), progress: this.#watch(given.progress) };
    const beat: Beat = new Beat(options, () => sessions.target('beat'));
    const sessions = new Sessions(options, beat);
    const control = new Control(options, sessions, beat);
    const session = new TargetSession(() => control.target(), options);
    const [store, chunks, held] = [new LinkStore(session), new ChunkStore(session), new HeldStore(session)];
    const tables = new TableStore(session);
    this.#parts = { options, sessions, control, beat, session, store, chunks, held, tables };
    this.#holder = new Holder(this.#parts);
    this.#copies = new Copies(this.#parts);
    this.#upkeep = new Upkeep(this.#parts, () => this.#copies.oldestMs);
    this.#shapes = new ShapeWatch(this.#parts, session, (link, table) => this.#changed.touch(link, table));
    this.#streams = new Streams(this.#parts, this.#shapes, this.#upkeep);
  }

  async holding(): Promise<Holding> {
    return await this.#typed(() => this.#holder.look());
  }

  async acquire(): Promise<void> {
    const { control, store, options, beat } = this.#parts;
    await this.#typed(async () => {
      const { key, source } = options.stream;
      const identity = await readIdentity(await control.source(), source.region);
      this.#sourceVersion = identity.version;
      await this.#holder.end(() => control.target());
      await store.takeOver(identity, beat);
      beat.begin();
      this.#epoch = await store.epoch();
      this.#changed = new ChangedTables(null, await store.changedTables());
      await adoptTables(this.#parts);
      await dropEmptySlots(this.#parts);
      await dropFormerStreams(this.#parts);
      const known = await store.slots();
      await dropAbandonedSlots(await control.source(), key, known);
      const links = new Set([...this.#given.links.map(({ id }) => id), ...(await store.linkIds())]);
      await dropAbandonedLinkSlots(await control.source(), await control.reader(), [...links], known);
    });
  }

  async publishTables(step: PublishTables): Promise<{ changed: boolean }> {
    return await this.#typed(async () => {
      const client = await this.#parts.control.source();
      await publish(client, publicationName(step.stream), 'insert, update, delete, truncate', step.tables);
      await publish(client, insertOnlyPublicationName(step.stream), 'insert', step.insertOnly);
      return { changed: true };
    });
  }

  async confirm(): Promise<void> {
    await this.#typed(() => this.#parts.beat.confirm());
  }

  async checkSlot(step: CreateSlot): Promise<void> {
    if (this.#parts.options.existing !== 'refuse' || step.repair || step.tables) return;
    await this.#typed(async () => {
      if ((await this.#parts.store.checkpoint(step.slot)) !== null) return;
      await refuseExisting(this.#parts, linksNamed(this.#parts, step.links));
    });
  }

  async createSlot(step: CreateSlot): Promise<{ slot: string; position: Lsn }> {
    const { slot } = step;
    const { control, store, sessions } = this.#parts;
    return await this.#typed(async () => {
      if (step.tables) {
        const joining = { ...step, tables: step.tables };
        return {
          slot,
          position: await beginJoining(this.#parts, this.#copies, joining, this.#sourceVersion),
        };
      }
      if (step.repair) return await beginRepair(this.#parts, this.#copies, step);
      const source = await control.source();
      const known = await store.checkpoint(slot);
      if (known !== null && (await slotExists(source, slot))) return { slot, position: known };
      const links = linksNamed(this.#parts, step.links);
      await this.checkSlot(step);
      const sides = await readSides(this.#parts, links, { are: 'new' });
      await dropSlot(source, slot); // of a run that was killed before its checkpoint was written
      const { position, snapshot } = await createSlot(sessions, slot, step.failover, this.#sourceVersion);
      await store.beginCopy(slot, position, links, sides);
      if (links.length === 0) {
        // Links come onto it from another stream: nothing is copied.
        await snapshot[Symbol.asyncDispose]();
        return { slot, position };
      }
      await this.#copies.begin(slot, snapshot);
      // Rows that were copied before the source is altered are told from those after it.
      await this.#shapes.look(slot, sides, links);
      return { slot, position };
    });
  }

  async copyTable(step: CopyTable, signal: AbortSignal): Promise<Copied> {
    const copy = async (): Promise<Copied> => {
      const ids = step.links.filter((id) => !this.#givenUp.some(({ link }) => link === id));
      if (ids.length === 0) return { rows: 0, bytes: 0, chunks: 0 };
      const links = linksNamed(this.#parts, ids);
      await refuseNotBegun(this.#parts, step.slot, step.table, ids);
      for (const link of links) this.#changed.touch(link.id, step.table);
      const session = await this.#copies.session(step.slot);
      try {
        return await copyOneTable(step, { ...this.#parts, ...session, links }, signal);
      } catch (error) {
        const judged = await this.#copies.judged(step.slot, error);
        const aside = signal.aborted ? null : await setCopyAside(this.#parts, step.slot, judged);
        if (aside === null) throw judged;
        this.#givenUp.push(...aside);
        return await copy();
      }
    };
    return await this.#upkeep.beside(step.slot, () =>
      throughOutages(this.#parts, { endless: false, signal }, copy),
    );
  }

  async streamChanges(
    step: StreamChanges,
    options: { until: Lsn | null; signal: AbortSignal },
  ): Promise<Streamed> {
    const { until, signal } = options;
    await this.#endCopies(step.slot, signal);
    const streamed = await this.#streams
      .run(step.slot, until, this.#epoch, signal, until === null)
      .catch((error: unknown) => {
        if (isXcError(error)) this.#outcome = `failed: ${error.code} ${error.title}: ${error.subject ?? ''}`;
        throw error;
      });
    this.#outcome = 'released';
    await this.#typed(async () => {
      if (options.until !== null && step.slot === this.#parts.store.mainSlot)
        await carrySequences(this.#parts);
      for (const { link, slot } of await this.#parts.store.links())
        if (slot === step.slot && this.#changed.isTrusted(link)) await this.#writeChanged(link);
    });
    return { ...streamed, findings: this.#shapes.takeFindings(until !== null) };
  }

  async handOver(step: MoveLinks, signal: AbortSignal): Promise<Moved> {
    // Several streams may ask for theirs at the same time.
    const turn = this.#handing.then(() => handOver(this.#parts, this.#streams, step, this.#epoch, signal));
    this.#handing = turn.catch(() => {});
    return await this.#typed(() => turn);
  }

  async adopt(step: MoveLinks): Promise<Moved> {
    return await this.#typed(() => adopt(this.#parts, step, this.#sourceVersion));
  }

  async splitLinks(step: SplitLinks): Promise<{ links: number; position: Lsn | null }> {
    return await this.#typed(() => pauseLinks(this.#parts, step));
  }

  async mergeLinks(step: MergeLinks, signal: AbortSignal): Promise<{ links: number; position: Lsn | null }> {
    await this.#endCopies(step.slot, signal);
    const merge = step.tables ? mergeTables : mergeLinks;
    const merged = await this.#typed(() => merge(this.#parts, this.#streams, step, this.#epoch, signal));
    return { links: merged?.links.length ?? 0, position: merged?.position ?? null };
  }

  async removeLinks(step: RemoveLinks): Promise<{ links: number; removed: readonly string[] }> {
    return await this.#typed(async () => {
      const { store } = this.#parts;
      const links = await store.removeLinks(step.links);
      const left = await store.links();
      if (left.length === 0) return { links, removed: await dropStream(this.#parts) };
      if (left.every(({ off }) => off)) return { links, removed: await emptyStream(this.#parts) };
      return { links, removed: await dropEmptySlots(this.#parts) };
    });
  }

  async removeTables({ tables }: RemoveTables): Promise<{ tables: number }> {
    return await this.#typed(async () => {
      await this.#parts.tables.remove(tables);
      await dropEmptySlots(this.#parts);
      return { tables: tables.length };
    });
  }

  async verify(step: Verify, signal: AbortSignal): Promise<Verified> {
    return await this.#typed(() => this.#verify(step, signal));
  }

  async #verify(step: Verify, signal: AbortSignal): Promise<Verified> {
    const { store, control } = this.#parts;
    const emit = async (): Promise<Lsn> => emitMarker(await control.source());
    const changed = this.#changed;
    this.#changed = new ChangedTables(changed);
    const verified = await this.#streams.during(store.mainSlot, this.#epoch, signal, (passed) =>
      throughOutages(this.#parts, { endless: false, signal }, async () => {
        const links = linksNamed(this.#parts, await this.#onMain(step.links));
        const read = (): Promise<Sides> => readSides(this.#parts, links);
        const sides = await read();
        const wanted = (link: LinkId, table: TableName): boolean =>
          sides.tables.get(link)!.has(table) && (step.extent === 'full' || changed.mayDiffer(link, table));
        const ports = { ...this.#parts, ...sides, emit, passed };
        try {
          return await verifyStream(links, wanted, step.window, ports, signal);
        } catch (error) {
          throw signal.aborted ? error : await unlessMoved(error, sides, read);
        }
      }),
    );
    // A link that was set aside meanwhile stood still: what was seen of it says nothing.
    const left = await this.#onMain(step.links);
    if ([...verified.verdicts.keys()].some((link) => !left.includes(link)))
      return await this.#verify({ ...step, links: left }, signal);
    for (const link of left) {
      const verdict = verified.verdicts.get(link);
      if (verdict !== undefined) await store.verified(link, verdict);
      // A window says nothing of the rows outside it.
      if (step.window !== undefined || (verdict !== 'pass' && !changed.isTrusted(link))) continue;
      this.#changed.trust(link);
      await this.#writeChanged(link);
    }
    return verified;
  }

  async compare(request: CompareRequest, signal: AbortSignal): Promise<Compared> {
    return await this.#typed(async () => {
      const compared = await compareLinks(this.#parts, this.#streams, this.#epoch, request, signal);
      if (request.acquired)
        for (const link of request.links) if (this.#changed.isTrusted(link)) await this.#writeChanged(link);
      return compared;
    });
  }

  async selfTest(request: SelfTestRequest, signal: AbortSignal): Promise<SelfTested> {
    return await this.#typed(() => selfTestLinks(this.#parts, request, signal));
  }

  async repairRows(step: RepairRows, signal: AbortSignal): Promise<RepairedRows> {
    return await this.#typed(() => repairRows(this.#parts, step, signal));
  }

  async dropLink(link: LinkId): Promise<readonly string[]> {
    return await this.#typed(() => dropLink(this.#parts, link));
  }

  async expireHeld(): Promise<readonly ErroredLink[]> {
    return await this.#typed(() => expireHeld(this.#parts));
  }

  async erroredLinks(): Promise<readonly ErroredLink[]> {
    return await this.#typed(async () => [
      ...[...(await this.#parts.held.errors())].map(([link, error]) => ({ link, ...error })),
      ...this.#givenUp,
    ]);
  }

  async sourcePosition(): Promise<Lsn> {
    return await this.#typed(async () => this.#shapes.horizon());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#copies[Symbol.asyncDispose]();
    await this.#parts.beat[Symbol.asyncDispose]();
    // What cannot be said any more is found out by the next run, as after a kill.
    if (this.#parts.control.isHeld) await this.#parts.store.release(this.#outcome).catch(() => {});
    await this.#parts.control[Symbol.asyncDispose]();
  }

  /** As patient as the copies themselves: what is done need not be done again because a connection broke behind it. */
  async #endCopies(slot: string, signal: AbortSignal): Promise<void> {
    try {
      await throughOutages(this.#parts, { endless: false, signal }, () => this.#copies.end(slot));
    } catch (error) {
      // Told to stop, which whoever asks for this says for itself. The next run ends the copies.
      if (!signal.aborted || error !== signal.reason) throw error;
    }
  }

  async #onMain(links: readonly LinkId[]): Promise<LinkId[]> {
    const { store } = this.#parts;
    const on = new Set(
      (await store.links()).flatMap(({ link, slot }) => (slot === store.mainSlot ? [link] : [])),
    );
    return links.filter((link) => on.has(link));
  }

  async #writeChanged(link: LinkId): Promise<void> {
    await this.#parts.store.writeChanged(link, this.#changed.of(link));
  }

  #watch(progress: EngineProgress): EngineProgress {
    return {
      copied: (table, rows, bytes) => progress.copied(table, rows, bytes),
      streamed: (link, table, counts) => {
        this.#changed.touch(link, table);
        progress.streamed(link, table, counts);
      },
      applied: (lagMs, position) => progress.applied(lagMs, position),
      retained: (log) => progress.retained(log),
      waiting: (error) => progress.waiting?.(error),
      copySnapshot: (ageMs) => progress.copySnapshot?.(ageMs),
      note: (text) => progress.note(text),
    };
  }

  async #typed<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw await this.#parts.beat.judged(asXcError(error, `stream ${this.#parts.options.stream.key}`));
    }
  }
}
