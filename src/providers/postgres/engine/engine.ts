/**
 * The engine of one stream: what each step of a plan does on the two servers. It holds the stream's lock and the
 * snapshots that copies read under; how rows move stands in the files beside it.
 */

import { maxLsn, ZERO_LSN, type Lsn } from '../../../core/change/lsn.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import type {
  CopyTable,
  CreateSlot,
  MergeLinks,
  PublishTables,
  RemoveLinks,
  StreamChanges,
  Verify,
} from '../../../core/plan/plan.ts';
import { tablesOf } from '../../../core/plan/scope.ts';
import { newTally } from '../../../core/replication/change-loop.ts';
import type { EngineProgress, StreamEngine, Streamed } from '../../../core/replication/engine.ts';
import type { Finding } from '../../../core/validation/finding.ts';
import {
  insertOnlyPublicationName,
  publicationName,
  type Link,
  type LinkId,
} from '../../../core/topology/link.ts';
import { tableName, type TableName } from '../../../core/topology/table.ts';
import { readCatalogue } from '../catalogue/catalogue.ts';
import { readIdentity } from '../identity.ts';
import { ChangedTables } from './changed-tables.ts';
import { Control } from './control.ts';
import { copyOneTable, openCopySession, type CopySession } from './copy-table.ts';
import { refuseExistingRows } from './existing-rows.ts';
import { LinkStore } from './link-store.ts';
import type { EngineOptions } from './options.ts';
import { publish, publishedTables } from './publications.ts';
import { asXcError, retrying } from './retry.ts';
import { Sessions } from './sessions.ts';
import { createSlot, dropAbandonedSlots, dropOrigin, dropSlot, retainedBytes, slotExists } from './slots.ts';
import { emitMarker, flushedPosition, laterSnapshot, type HeldSnapshot } from './snapshots.ts';
import { runStreamSession, type Sides } from './stream-session.ts';
import { readTenantValues } from './tenant-values.ts';
import { verifyStream } from './verify-links.ts';

/** How often the log that a slot holds back is measured. */
const RETAINED_MS = 10_000;
/** How often a waiter looks whether the stream passed its position. */
const PASSED_POLL_MS = 20;

export class PostgresEngine implements StreamEngine {
  readonly #options: EngineOptions;
  readonly #sessions: Sessions;
  readonly #control: Control;
  readonly #store: LinkStore;
  /** Copies that are under way, by slot. */
  readonly #copies = new Map<string, CopySession>();
  /** Position that the running session of a slot has applied. */
  readonly #streaming = new Map<string, Lsn>();
  #changed = new ChangedTables();
  #epoch = 0;
  #sourceVersion = 0;

  constructor(options: EngineOptions) {
    this.#options = { ...options, progress: this.#watch(options.progress) };
    this.#sessions = new Sessions(this.#options);
    this.#control = new Control(this.#options, this.#sessions);
    this.#store = new LinkStore(() => this.#control.target(), this.#options);
  }

  async acquire(): Promise<void> {
    await this.#typed(async () => {
      const { region } = this.#options.stream.source;
      const identity = await readIdentity(await this.#control.source(), region);
      this.#sourceVersion = identity.version;
      await this.#control.target();
      await this.#store.takeOver(identity);
      this.#epoch = await this.#store.epoch();
      this.#changed = new ChangedTables(null, await this.#store.changedTables());
      const known = await this.#store.slots();
      await dropAbandonedSlots(await this.#control.source(), this.#options.stream.key, known);
    });
  }

  async publishTables(step: PublishTables): Promise<{ changed: boolean }> {
    return await this.#typed(async () => {
      const client = await this.#control.source();
      await publish(client, publicationName(step.stream), 'insert, update, delete, truncate', step.tables);
      await publish(client, insertOnlyPublicationName(step.stream), 'insert', step.insertOnly);
      return { changed: true };
    });
  }

  async checkSlot(step: CreateSlot): Promise<void> {
    if (this.#options.existing !== 'refuse') return;
    await this.#typed(async () => {
      if ((await this.#store.checkpoint(step.slot)) === null)
        await this.#refuseExisting(this.#linksNamed(step.links));
    });
  }

  async createSlot(step: CreateSlot): Promise<{ slot: string; position: Lsn }> {
    return await this.#typed(async () => {
      const source = await this.#control.source();
      const known = await this.#store.checkpoint(step.slot);
      if (known !== null && (await slotExists(source, step.slot)))
        return { slot: step.slot, position: known };
      const links = this.#linksNamed(step.links);
      await this.checkSlot(step);
      await dropSlot(source, step.slot); // of a run that was killed before its checkpoint was written
      const { position, snapshot } = await createSlot(
        this.#sessions,
        step.slot,
        step.failover,
        this.#sourceVersion,
      );
      await this.#store.beginCopy(step.slot, position, links);
      await this.#beginCopies(step.slot, snapshot);
      return { slot: step.slot, position };
    });
  }

  async copyTable(
    step: CopyTable,
    signal: AbortSignal,
  ): Promise<{ rows: number; bytes: number; chunks: number }> {
    return await this.#retrying(signal, false, async () => {
      const links = this.#linksNamed(step.links);
      for (const link of links) this.#changed.touch(link.id, step.table);
      const session = await this.#copySession(step.slot);
      const { sessions, store, options } = {
        sessions: this.#sessions,
        store: this.#store,
        options: this.#options,
      };
      return await copyOneTable(step, { ...session, options, sessions, store, links }, signal);
    });
  }

  async streamChanges(
    step: StreamChanges,
    options: { until: Lsn | null; signal: AbortSignal },
  ): Promise<Streamed> {
    await this.#typed(() => this.#endCopies(step.slot));
    const streamed = await this.#stream(step.slot, options.until, options.signal);
    await this.#typed(async () => {
      for (const { link, slot } of await this.#store.links())
        if (slot === step.slot && this.#changed.isTrusted(link))
          await this.#store.writeChanged(link, this.#changed.of(link));
    });
    return streamed;
  }

  async mergeLinks(step: MergeLinks, signal: AbortSignal): Promise<{ links: number; position: Lsn }> {
    const main = this.#store.mainSlot;
    await this.#typed(() => this.#endCopies(step.slot));
    const ahead = await this.#typed(() => this.#position(main));
    if ((await this.#typed(() => this.#position(step.slot))) < ahead)
      await this.#stream(step.slot, ahead, signal);
    signal.throwIfAborted();
    return await this.#typed(async () => {
      const position = maxLsn(await this.#position(step.slot), ahead);
      await this.#store.moveLinks(step.links, step, { slot: main, position });
      await dropSlot(await this.#control.source(), step.slot);
      await dropOrigin(await this.#control.reader(), step.slot);
      return { links: step.links.length, position };
    });
  }

  async removeLinks(step: RemoveLinks): Promise<{ links: number }> {
    return await this.#typed(async () => {
      const links = await this.#store.removeLinks(step.links);
      if ((await this.#store.links()).length === 0) await this.#dropStream([]);
      return { links };
    });
  }

  async verify(
    step: Verify,
    signal: AbortSignal,
  ): Promise<{ findings: readonly Finding[]; tables: number; rows: number }> {
    const changed = this.#changed;
    this.#changed = new ChangedTables(changed);
    const verified = await this.#whileStreaming(signal, (passed) =>
      this.#retrying(signal, false, async () => {
        const links = this.#linksNamed(step.links);
        const { source, target, tables } = await this.#sides(links);
        const wanted = (link: LinkId, table: TableName): boolean =>
          tables.get(link)!.has(table) && (step.extent === 'full' || changed.mayDiffer(link, table));
        const options = this.#options;
        const ports = { options, sessions: this.#sessions, source, target, emit: () => this.#emit(), passed };
        return await verifyStream(links, wanted, step.window, ports, signal);
      }),
    );
    for (const link of step.links) {
      const verdict = verified.verdicts.get(link);
      if (verdict !== undefined) await this.#store.verified(link, verdict);
      if (verdict === 'pass' || changed.isTrusted(link)) {
        this.#changed.trust(link);
        await this.#store.writeChanged(link, this.#changed.of(link));
      }
    }
    return verified;
  }

  async #emit(): Promise<Lsn> {
    return emitMarker(await this.#control.source());
  }

  /** Runs the work while the stream flows, which it does already or does for this alone. */
  async #whileStreaming<T>(
    signal: AbortSignal,
    work: (passed: (position: Lsn, abort: AbortSignal) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    const main = this.#store.mainSlot;
    const stop = new AbortController();
    let failure: unknown = null;
    const own = this.#streaming.has(main)
      ? null
      : this.#stream(main, null, AbortSignal.any([signal, stop.signal]));
    own?.catch((error: unknown) => (failure = error));
    try {
      return await work((position, abort) => this.#passed(main, position, abort, () => failure));
    } finally {
      stop.abort(new DOMException('verification ended', 'AbortError'));
      await own?.catch(() => {});
    }
  }

  async dropLink(link: LinkId): Promise<readonly string[]> {
    return await this.#typed(async () => {
      const removed: string[] = [];
      const before = await this.#store.links();
      const slot = before.find((one) => one.link === link)?.slot;
      if (await this.#store.deleteLink(link)) removed.push(`link ${link}`);
      const left = before.filter((one) => one.link !== link);
      if (slot !== undefined && slot !== this.#store.mainSlot && !left.some((one) => one.slot === slot))
        await this.#dropSlotAndOrigin(slot, removed);
      if (left.length === 0) await this.#dropStream(removed);
      return removed;
    });
  }

  async sourcePosition(): Promise<Lsn> {
    return await this.#typed(async () => flushedPosition(await this.#control.source()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#copies.values()].map((session) => session[Symbol.asyncDispose]()));
    this.#copies.clear();
    await this.#control[Symbol.asyncDispose]();
  }

  /** Streams until the position or the signal, through whatever passes by itself. */
  async #stream(slot: string, until: Lsn | null, signal: AbortSignal): Promise<Streamed> {
    const end = newTally(ZERO_LSN);
    const over = new AbortController();
    const watch = this.#watchRetained(slot, over.signal);
    try {
      await this.#retrying(signal, until === null, async () => {
        end.position = await this.#position(slot);
        this.#streaming.set(slot, end.position);
        if (signal.aborted) return;
        const ports = {
          options: this.#options,
          sessions: this.#sessions,
          store: this.#store,
          source: await this.#control.source(),
          target: await this.#control.reader(),
          epoch: this.#epoch,
          sides: (links: readonly Link[]) => this.#sides(links),
          passed: (passed: Lsn) => void this.#streaming.set(slot, passed),
        };
        await runStreamSession(ports, slot, until, end, signal);
      });
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
    } finally {
      this.#streaming.delete(slot);
      over.abort();
      await watch;
    }
    return end;
  }

  /** Tells now and then how much log the slot holds back. That it cannot be asked is no reason to stop streaming. */
  async #watchRetained(slot: string, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      try {
        const bytes = await retainedBytes(await this.#control.source(), slot);
        if (bytes !== null) this.#options.progress.retained(bytes);
        await this.#options.clock.sleep(RETAINED_MS, over);
      } catch (error) {
        if (over.aborted) return;
        this.#options.progress.note(
          `retained log is not known: ${error instanceof Error ? error.message : String(error)}`,
        );
        await this.#options.clock.sleep(RETAINED_MS, over).catch(() => {});
      }
    }
  }

  async #position(slot: string): Promise<Lsn> {
    const position = await this.#store.checkpoint(slot);
    if (position === null)
      throw new XcError('XC-5001', { subject: slot, why: 'the target has no checkpoint for it' });
    return position;
  }

  async #passed(slot: string, position: Lsn, signal: AbortSignal, failure: () => unknown): Promise<void> {
    while ((this.#streaming.get(slot) ?? ZERO_LSN) < position) {
      if (failure() !== null) throw failure();
      await this.#options.clock.sleep(PASSED_POLL_MS, signal);
    }
  }

  /** Links whose tables are all copied go over to the stream; the snapshot that they were read under is let go. */
  async #endCopies(slot: string): Promise<void> {
    const copying = (await this.#store.links()).filter(
      (link) => link.slot === slot && link.state === 'copying',
    );
    if (copying.length === 0) return;
    const links = this.#linksNamed(copying.map((link) => link.link));
    const { tables } = await this.#sides(links);
    const chunks = await this.#store.chunks(slot);
    const done = links.flatMap((link) => {
      const own = chunks.filter((chunk) => chunk.links.includes(link.id));
      const complete = [...tables.get(link.id)!].every((table) => own.some((chunk) => chunk.table === table));
      if (!complete || own.some((chunk) => !chunk.done)) return [];
      const from = copying.find((one) => one.link === link.id)!.from ?? ZERO_LSN;
      return [
        { link: link.id, consistentAt: own.map((chunk) => chunk.position ?? ZERO_LSN).reduce(maxLsn, from) },
      ];
    });
    await this.#store.beginStreaming(done);
    if (done.length < copying.length) return;
    await this.#copies.get(slot)?.[Symbol.asyncDispose]();
    this.#copies.delete(slot);
  }

  /** The slot's own snapshot for as long as it lives, and one of now after that. */
  async #copySession(slot: string): Promise<CopySession> {
    const held = this.#copies.get(slot);
    if (held?.snapshot.alive()) return held;
    return await this.#beginCopies(slot, await laterSnapshot(this.#sessions));
  }

  async #beginCopies(slot: string, snapshot: HeldSnapshot): Promise<CopySession> {
    await this.#copies.get(slot)?.[Symbol.asyncDispose]();
    const carried = new Set(
      (await this.#store.links()).filter((link) => link.slot === slot).map(({ link }) => link),
    );
    const links = this.#options.stream.links.filter((link) => carried.has(link.id));
    const { source, target } = await this.#sides(links);
    const tenants = await readTenantValues(await this.#control.source(), links, source);
    const session = openCopySession({ snapshot, source, target, tenants });
    this.#copies.set(slot, session);
    return session;
  }

  /** All tables that the rules name, published by now or not. */
  async #refuseExisting(links: readonly Link[]): Promise<void> {
    const reader = await this.#control.reader();
    const source = await readCatalogue(await this.#control.source());
    const carriers = new Map<TableName, Link[]>();
    for (const link of links)
      for (const name of tablesOf(link, source).map(tableName))
        carriers.set(name, [...(carriers.get(name) ?? []), link]);
    const target = await readCatalogue(reader, { tables: (name) => carriers.has(name) });
    await refuseExistingRows(
      reader,
      [...carriers].flatMap(([name, those]) => {
        const facts = target.tables.get(name);
        return facts ? [{ target: facts, links: those }] : [];
      }),
    );
  }

  /**
   * What both sides look like now, for these links.
   * @throws XcError XC-5202 for a table that the target lacks
   */
  async #sides(links: readonly Link[]): Promise<Sides> {
    const client = await this.#control.source();
    const source = await readCatalogue(client);
    const published = await publishedTables(client, this.#options.stream.key);
    const carried = (link: Link): TableName[] =>
      tablesOf(link, source)
        .map(tableName)
        .filter((table) => published.has(table));
    const tables = new Map(links.map((link) => [link.id, new Set(carried(link))]));
    const names = new Set([...tables.values()].flatMap((set) => [...set]));
    const target = await readCatalogue(await this.#control.reader(), { tables: (name) => names.has(name) });
    const missing = [...names].filter((name) => !target.tables.has(name));
    const { stream } = this.#options;
    if (missing.length > 0)
      throw new XcError('XC-5202', {
        subject: missing.join(', '),
        why: `${stream.target.region} has no such table`,
        next: `xcrepl schema plan --from ${stream.source.region} --to ${stream.target.region}`,
      });
    return { source, target, tables };
  }

  /** Links of the configuration; one that is no longer there cannot be worked on. @throws XcError XC-1006 */
  #linksNamed(names: readonly LinkId[]): Link[] {
    return names.map((name) => {
      const link = this.#options.stream.links.find((one) => one.id === name);
      if (!link) throw new XcError('XC-1006', { subject: `link ${name}` });
      return link;
    });
  }

  async #dropSlotAndOrigin(slot: string, removed: string[]): Promise<void> {
    if (await dropSlot(await this.#control.source(), slot))
      removed.push(`slot ${slot} on ${this.#options.stream.source.region}`);
    if (await dropOrigin(await this.#control.reader(), slot))
      removed.push(`origin ${slot} on ${this.#options.stream.target.region}`);
  }

  async #dropStream(removed: string[]): Promise<void> {
    const { key } = this.#options.stream;
    const source = await this.#control.source();
    for (const slot of new Set([this.#store.mainSlot, ...(await this.#store.slots())]))
      await this.#dropSlotAndOrigin(slot, removed);
    for (const name of [publicationName(key), insertOnlyPublicationName(key)]) {
      const { rowCount } = await source.query('SELECT FROM pg_publication WHERE pubname = $1', [name]);
      if (!rowCount) continue;
      await publish(source, name, 'insert', []);
      removed.push(`publication ${name} on ${this.#options.stream.source.region}`);
    }
    await this.#store.deleteStream();
  }

  #watch(progress: EngineProgress): EngineProgress {
    return {
      copied: (table, rows, bytes) => progress.copied(table, rows, bytes),
      streamed: (link, table, counts) => {
        this.#changed.touch(link, table);
        progress.streamed(link, table, counts);
      },
      applied: (lagMs, position) => progress.applied(lagMs, position),
      retained: (bytes) => progress.retained(bytes),
      note: (text) => progress.note(text),
    };
  }

  async #retrying<T>(signal: AbortSignal, endless: boolean, work: () => Promise<T>): Promise<T> {
    const { stream, progress } = this.#options;
    return await retrying(work, {
      endless,
      signal,
      subject: `stream ${stream.key}`,
      note: (text) => progress.note(text),
    });
  }

  async #typed<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw asXcError(error, `stream ${this.#options.stream.key}`);
    }
  }
}
