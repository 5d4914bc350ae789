/**
 * Turns decoded messages into batches. Redaction happens here, while the row is written into the batch, so that nothing
 * unredacted is ever buffered beyond the socket. What a link's copy already holds is left out here, too.
 */

import { XcError } from '../errors/xc-error.ts';
import {
  Batch,
  DELETE,
  HAS_UNCHANGED,
  INSERT,
  KEY_CHANGED,
  TRUNCATE,
  UPDATE,
  type Route,
  type TableRange,
} from './batch.ts';
import { ZERO_LSN, type Lsn } from './lsn.ts';
import {
  POSTGRES_EPOCH_MICROS,
  readInt32,
  type OldKind,
  type PgoutputHandler,
  type RelationMessage,
} from './pgoutput.ts';
import { RouteFinder, type RelationRoutes } from './relation-routes.ts';
import { fieldOffsets, UNCHANGED_FIELD, withoutValue, writeKey, writeTuple } from './tuple-plan.ts';

export interface CollectorHooks {
  /**
   * Compiles the routes of a relation, once each time that the server describes it; null where no link wants it.
   * @param commit of the transaction that the relation is described in
   * @throws XcError when the relation does not fit what the session was made for
   */
  routes(relation: RelationMessage, commit: Lsn): RelationRoutes | null;
  /** A logical message passed: markers, fences, schema changes. */
  message?(prefix: string, content: Uint8Array, lsn: Lsn): void;
  /** For who keeps the borders of transactions, which a batch does not: changes from here on are of this one. */
  began?(batch: Batch, commitLsn: Lsn, xid: number): void;
  committed?(batch: Batch, endLsn: Lsn, unixMicros: number): void;
  /** Told at its commit, once for each relation that a transaction emptied. @param refilled whether rows of it came after that */
  emptied?(relation: number, xid: number, refilled: boolean): void;
}

/** Of a transaction that has not ended, what is copied into the next batch at most. */
const TAIL_BYTES = 256 * 1024;

const NOTHING = { size: 0, bytes: 0, orderedChanges: 0 };

export class Collector implements PgoutputHandler {
  batch = new Batch();
  inTransaction = false;
  /** Transactions that begin at or past this are not wanted: set by `stopAt`, met when `reachedEnd` is true. */
  reachedEnd = false;
  readonly #hooks: CollectorHooks;
  readonly #until: Lsn | null;
  readonly #relations = new Map<number, RouteFinder | null>();
  #commitLsn: Lsn | null = null;
  #xid = 0;
  /** Relations that the open transaction emptied, and whether rows came after that. */
  #emptied: Map<number, boolean> | null = null;
  /** What the batch held when the transaction in hand began; nothing where it began in an earlier batch. */
  #begun = NOTHING;

  constructor(hooks: CollectorHooks, until: Lsn | null) {
    this.#hooks = hooks;
    this.#until = until;
  }

  /**
   * Gives the batch so far and begins another, in the memory of `used` where there is one. The part of a transaction that
   * has not ended stays for the next batch where that is cheap; else the batch is open.
   */
  take(used?: Batch): Batch {
    const batch = this.batch;
    used?.reset();
    this.batch = used ?? new Batch();
    this.batch.position = batch.position;
    const keeps = this.inTransaction && this.#mayKeepTail(batch);
    if (keeps) batch.moveTail(this.#begun.size, this.#begun.bytes, this.batch);
    batch.open = this.inTransaction && !keeps;
    this.#begun = NOTHING;
    return batch;
  }

  /** Bytes of whole transactions that `take` would give, in the middle of one. */
  get wholeBytes(): number {
    return this.#mayKeepTail(this.batch) ? this.#begun.bytes : 0;
  }

  #mayKeepTail(batch: Batch): boolean {
    const { size, bytes, orderedChanges } = this.#begun;
    // Who keeps the borders of transactions has noted where in the batch this one began.
    return (
      size > 0 &&
      batch.orderedChanges === orderedChanges &&
      batch.arena.length - bytes <= TAIL_BYTES &&
      this.#hooks.began === undefined
    );
  }

  begin(commitLsn: Lsn, _commitMicros: number, xid: number): void {
    if (this.inTransaction)
      throw new XcError('XC-5201', { subject: `transaction ${xid} begins within ${this.#xid}` });
    if (this.#until !== null && commitLsn >= this.#until) {
      this.reachedEnd = true;
      return;
    }
    this.inTransaction = true;
    this.#commitLsn = commitLsn;
    this.#xid = xid;
    this.#emptied = null;
    const { size, arena, orderedChanges } = this.batch;
    this.#begun = { size, bytes: arena.length, orderedChanges };
    this.#hooks.began?.(this.batch, commitLsn, xid);
  }

  /** Past the end a commit counts for nothing: its changes were left out, and its position would say otherwise. */
  commit(commitLsn: Lsn, endLsn: Lsn, commitMicros: number): void {
    // Of a transaction past the end, too, whose changes were left out: its position is the next session's to reach.
    if (this.reachedEnd) return;
    if (!this.inTransaction || commitLsn !== this.#commitLsn || endLsn < commitLsn)
      throw new XcError('XC-5201', { subject: `a commit that is not of the transaction that began` });
    this.inTransaction = false;
    this.batch.position = endLsn;
    for (const [relation, refilled] of this.#emptied ?? [])
      this.#hooks.emptied?.(relation, this.#xid, refilled);
    const unixMicros = commitMicros + POSTGRES_EPOCH_MICROS;
    this.batch.commitsMs.push(Math.trunc(unixMicros / 1000));
    this.#hooks.committed?.(this.batch, endLsn, unixMicros);
  }

  origin(): void {}

  /** One of a transaction past the end is not looked at: the target may get its place for it until then. */
  relation(relation: RelationMessage): void {
    if (this.reachedEnd) return void this.#relations.set(relation.oid, null);
    const routes = this.#hooks.routes(relation, this.#commitLsn ?? ZERO_LSN);
    this.#relations.set(relation.oid, routes && new RouteFinder(routes));
  }

  insert(relation: number, bytes: Uint8Array, tuple: number): void {
    const finder = this.#finder(relation);
    const buffer = bytes as Buffer;
    const route = finder?.find(buffer, tuple);
    if (!finder || !route || this.#inCopy(route, buffer, tuple)) return;
    this.#addRow(finder, INSERT, route, buffer, tuple, -1);
  }

  update(relation: number, bytes: Uint8Array, oldKind: OldKind | null, old: number, tuple: number): void {
    const finder = this.#finder(relation);
    if (!finder) return;
    const buffer = bytes as Buffer;
    const after = finder.find(buffer, tuple);
    const before = oldKind ? finder.find(buffer, old) : after;
    const wantAfter = after && !this.#inCopy(after, buffer, tuple);
    const wantBefore = before && (oldKind ? !this.#inCopy(before, buffer, old) : wantAfter);
    const sent = oldKind ? old : -1;
    if (wantAfter && wantBefore && after === before) this.#addRow(finder, UPDATE, after, buffer, tuple, sent);
    else {
      if (wantBefore) this.#addDelete(finder, before, buffer, old);
      if (wantAfter) this.#addRow(finder, INSERT, after, buffer, tuple, sent);
    }
  }

  delete(relation: number, bytes: Uint8Array, _oldKind: OldKind, old: number): void {
    const finder = this.#finder(relation);
    const buffer = bytes as Buffer;
    const route = finder?.find(buffer, old);
    if (!finder || !route || this.#inCopy(route, buffer, old)) return;
    this.#addDelete(finder, route, buffer, old);
  }

  truncate(relations: readonly number[]): void {
    for (const relation of relations) {
      for (const route of this.#finder(relation)?.all() ?? []) {
        if (this.#commitLsn !== null && this.#commitLsn < route.from) continue;
        const unseen = route.unseen?.(this.#xid) ?? 'all';
        for (const range of unseen === 'all' ? [null] : unseen) this.#addTruncate(route, range);
      }
      (this.#emptied ??= new Map()).set(relation, false);
    }
  }

  message(_transactional: boolean, lsn: Lsn, prefix: string, content: Uint8Array): void {
    this.#hooks.message?.(prefix, content, lsn);
  }

  #finder(relation: number): RouteFinder | null {
    const finder = this.#relations.get(relation);
    if (finder === undefined)
      throw new XcError('XC-5201', { subject: `a change of the undescribed relation ${relation}` });
    if (this.reachedEnd) return null;
    if (!this.inTransaction) throw new XcError('XC-5201', { subject: 'a change outside of a transaction' });
    if (this.#emptied?.has(relation)) this.#emptied.set(relation, true);
    return finder;
  }

  #inCopy(route: Route, bytes: Buffer, tuple: number): boolean {
    if (this.#commitLsn !== null && this.#commitLsn < route.from) return true;
    return route.seen !== null && route.seen(this.#xid, bytes, tuple);
  }

  /** @param old the old row's tuple when the message has one, else −1 */
  #addRow(
    finder: RouteFinder,
    operation: typeof INSERT | typeof UPDATE,
    route: Route,
    bytes: Buffer,
    tuple: number,
    old: number,
  ): void {
    const { batch } = this;
    const { arena } = batch;
    const { plan } = route.variant;
    const rowStart = arena.length;
    let flags = writeTuple(arena, plan, 'pgoutput', bytes, tuple, old) ? HAS_UNCHANGED : 0;
    const rowEnd = arena.length;
    let [keyStart, keyEnd] = this.#newKey(finder, plan.key, rowStart, rowEnd);
    if (flags !== 0 && !finder.routes.keyless) this.#requireKey(keyStart, keyEnd);
    if (old >= 0 && operation === UPDATE) {
      const oldStart = arena.length;
      this.#writeOld(finder, route, bytes, old);
      const same = arena.bytes.compare(arena.bytes, keyStart, keyEnd, oldStart, arena.length) === 0;
      if (same) arena.length = oldStart;
      else {
        flags |= KEY_CHANGED;
        [keyStart, keyEnd] = [oldStart, arena.length];
      }
    }
    if (finder.routes.ordered || (operation === INSERT && (flags & HAS_UNCHANGED) !== 0))
      batch.keepOrder(route.variant);
    batch.add(operation, route, flags, rowStart, rowEnd, keyStart, keyEnd);
  }

  #addDelete(finder: RouteFinder, route: Route, bytes: Buffer, old: number): void {
    const { batch } = this;
    const keyStart = batch.arena.length;
    this.#writeOld(finder, route, bytes, old);
    if (finder.routes.ordered) batch.keepOrder(route.variant);
    batch.add(DELETE, route, 0, 0, 0, keyStart, batch.arena.length);
  }

  #addTruncate(route: Route, range: TableRange | null): void {
    const { batch } = this;
    if (range) batch.cleared.set(batch.size, range);
    batch.keepOrder(route.variant);
    batch.add(TRUNCATE, route, 0, 0, 0, 0, 0);
  }

  #writeOld(finder: RouteFinder, route: Route, bytes: Buffer, old: number): void {
    const { arena } = this.batch;
    if (!finder.routes.keyless) return writeKey(arena, route.variant.plan, bytes, old);
    const start = arena.length;
    if (writeTuple(arena, route.variant.plan, 'pgoutput', bytes, old)) throw withoutValue('large values');
    arena.bytes.copyWithin(start, start + 2, arena.length);
    arena.length -= 2;
  }

  /** Rows whose keys are not said would all look the same. @throws XcError XC-5201 */
  #requireKey(start: number, end: number): void {
    const { bytes } = this.batch.arena;
    for (let at = start; at < end;) {
      const length = readInt32(bytes, at);
      if (length === UNCHANGED_FIELD) throw withoutValue('key');
      at += 4 + Math.max(0, length);
    }
  }

  /** The written row's key: a view into the row where its fields lie together, else a copy behind the row. */
  #newKey(finder: RouteFinder, key: readonly number[], rowStart: number, rowEnd: number): [number, number] {
    const { arena } = this.batch;
    if (finder.routes.keyless) return [rowStart + 2, rowEnd];
    const first = key[0] ?? 0;
    const last = key[key.length - 1] ?? 0;
    let at = rowStart + 2;
    let start = at;
    for (let index = 0; index <= last; index++) {
      if (index === first) start = at;
      at += 4 + Math.max(0, readInt32(arena.bytes, at));
    }
    if (last - first + 1 === key.length) return [start, at];
    const offsets = fieldOffsets(arena.bytes, rowStart);
    const keyStart = arena.length;
    for (const index of key) {
      const from = offsets[index] ?? 0;
      const to = offsets[index + 1] ?? 0;
      arena.reserve(to - from);
      arena.copy(arena.bytes, from, to);
    }
    return [keyStart, arena.length];
  }
}
