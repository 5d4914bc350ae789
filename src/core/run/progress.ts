/** What one run moved and how far behind it was: the engines tell it, metrics and the report's results ask it. */

import type { Lsn } from '../change/lsn.ts';
import type { XcError } from '../errors/xc-error.ts';
import { LagHistogram, type LagQuantiles } from '../metrics/lag-histogram.ts';
import { judgeSnapshot } from '../metrics/copy-snapshot.ts';
import type { RetainedWal } from '../metrics/retained-wal.ts';
import { edgeOf, type ReplicationMetrics } from '../metrics/metrics.ts';
import type { EngineProgress } from '../replication/engine.ts';
import type { Stream, StreamKey } from '../topology/link.ts';

export interface TableCounts {
  copiedRows: number;
  copiedBytes: number;
  inserts: number;
  updates: number;
  deletes: number;
  bytes: number;
}

export interface ProgressListener {
  /** Counts since the call before. */
  copied?(stream: Stream, table: string, added: { readonly rows: number; readonly bytes: number }): void;
  applied?(stream: Stream, lagMs: number, position: Lsn): void;
  note?(stream: Stream, text: string): void;
}

export class RunProgress {
  readonly #metrics: ReplicationMetrics;
  readonly #listener: ProgressListener;
  readonly #lag = new Map<StreamKey, LagHistogram>();
  readonly #tables = new Map<StreamKey, Map<string, TableCounts>>();
  readonly #onRetained = new Set<(stream: Stream, log: RetainedWal) => void>();
  readonly #waiting = new Set<StreamKey>();
  readonly #oldSnapshots = new Set<StreamKey>();
  readonly #onWaiting = new Set<(stream: Stream, error: XcError | null) => void>();
  readonly #onApplied = new Set<(stream: Stream, lagMs: number) => void>();

  constructor(metrics: ReplicationMetrics, listener: ProgressListener = {}) {
    this.#metrics = metrics;
    this.#listener = listener;
  }

  /** The port that the stream's engine gets. */
  of(stream: Stream): EngineProgress {
    const edge = edgeOf(stream);
    const metrics = this.#metrics;
    return {
      copied: (table, rows, bytes) => {
        const counts = this.#table(stream.key, table);
        counts.copiedRows += rows;
        counts.copiedBytes += bytes;
        metrics.rows(edge, 'copy', rows);
        metrics.bytes(edge, 'copy', bytes);
        this.#listener.copied?.(stream, table, { rows, bytes });
      },
      streamed: (_link, table, { inserts, updates, deletes, bytes }) => {
        const counts = this.#table(stream.key, table);
        counts.inserts += inserts;
        counts.updates += updates;
        counts.deletes += deletes;
        counts.bytes += bytes;
        metrics.rows(edge, 'insert', inserts);
        metrics.rows(edge, 'update', updates);
        metrics.rows(edge, 'delete', deletes);
        metrics.bytes(edge, 'stream', bytes);
      },
      applied: (lagMs, position) => {
        this.#histogram(stream.key).add(lagMs);
        metrics.lag(edge, lagMs);
        if (this.#waiting.delete(stream.key)) for (const listen of this.#onWaiting) listen(stream, null);
        this.#listener.applied?.(stream, lagMs, position);
        for (const listen of this.#onApplied) listen(stream, lagMs);
      },
      retained: (log) => {
        metrics.retained(edge, log);
        for (const listen of this.#onRetained) listen(stream, log);
      },
      copySnapshot: (ageMs) => {
        metrics.copySnapshot(edge, ageMs);
        const { alarm } = judgeSnapshot({ ageMs, transactions: null });
        const told = this.#oldSnapshots.has(stream.key);
        if (alarm === null) this.#oldSnapshots.delete(stream.key);
        else if (!told) {
          this.#oldSnapshots.add(stream.key);
          this.#listener.note?.(stream, `XC-5280 ${alarm}`);
        }
      },
      note: (text) => this.#listener.note?.(stream, text),
      waiting: (error) => {
        this.#waiting.add(stream.key);
        for (const listen of this.#onWaiting) listen(stream, error);
      },
    };
  }

  /** @returns ends the listening */
  onRetained(listen: (stream: Stream, log: RetainedWal) => void): () => void {
    this.#onRetained.add(listen);
    return () => void this.#onRetained.delete(listen);
  }

  /**
   * Told with why a stream waits, and with null when it goes on.
   * @returns ends the listening
   */
  onWaiting(listen: (stream: Stream, error: XcError | null) => void): () => void {
    this.#onWaiting.add(listen);
    return () => void this.#onWaiting.delete(listen);
  }

  /** @returns ends the listening */
  onApplied(listen: (stream: Stream, lagMs: number) => void): () => void {
    this.#onApplied.add(listen);
    return () => void this.#onApplied.delete(listen);
  }

  lag(stream: StreamKey): LagQuantiles | null {
    return this.#lag.get(stream)?.quantiles() ?? null;
  }

  tables(stream: StreamKey): Readonly<Record<string, Readonly<TableCounts>>> {
    return Object.fromEntries(this.#tables.get(stream) ?? []);
  }

  #histogram(stream: StreamKey): LagHistogram {
    const histogram = this.#lag.get(stream) ?? new LagHistogram();
    this.#lag.set(stream, histogram);
    return histogram;
  }

  #table(stream: StreamKey, table: string): TableCounts {
    const tables = this.#tables.get(stream) ?? new Map<string, TableCounts>();
    this.#tables.set(stream, tables);
    const counts = tables.get(table) ?? {
      copiedRows: 0,
      copiedBytes: 0,
      inserts: 0,
      updates: 0,
      deletes: 0,
      bytes: 0,
    };
    tables.set(table, counts);
    return counts;
  }
}
