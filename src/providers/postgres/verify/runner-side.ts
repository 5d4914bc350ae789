/**
 * The source of a table with hashed or masked columns: read through the runner as a COPY stream, redacted by the same
 * redactors as the change stream, and reduced to the digests that the target computes in SQL. The key of a hash never
 * stands in a statement, where the server's log would show it (CORRECTNESS 36).
 */

import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';
import type { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { compileRedactors } from '../../../core/policy/redactor.ts';
import {
  addRow,
  keyId,
  NO_ROWS,
  type Digest,
  type KeyDigest,
} from '../../../core/validation/compare/digest.ts';
import type { Candidate, Chunk, Side } from '../../../core/validation/compare/side.ts';
import { readCopyRows, type CopyRow } from './copy-rows.ts';
import { RecordBytes } from './record-bytes.ts';
import { copySql, type SqlContext } from './sql.ts';

export const runnerSide = (client: Client, context: SqlContext): Side => {
  const read = async (
    chunk: Chunk,
    candidates: readonly Candidate[] | null,
    signal: AbortSignal,
    onRow: (row: RedactedRow, hasher: RowHasher) => void,
  ): Promise<void> => {
    signal.throwIfAborted();
    const hasher = new RowHasher(context);
    await readCopyRows(client.query(copyTo(copySql(context, chunk, candidates))), (row) =>
      onRow(hasher.redact(row), hasher),
    );
  };
  const readKeys = async (
    chunk: Chunk,
    candidates: readonly Candidate[] | null,
    wanted: (row: RedactedRow, hasher: RowHasher) => boolean,
    signal: AbortSignal,
    keys: Map<string, KeyDigest>,
  ): Promise<void> =>
    read(chunk, candidates, signal, (row, hasher) => {
      if (!wanted(row, hasher)) return;
      const { id, key, tenant, version } = hasher.keyOf(row);
      const before = keys.get(id);
      keys.set(id, {
        ...addRow(before ?? NO_ROWS, row.hash),
        key,
        tenant,
        version: String(BigInt(before?.version ?? 0) + version),
      });
    });
  return {
    digests: async (chunk, only, signal) => {
      const digests = new Map<number, Digest>();
      const some = only && new Set(only);
      await read(chunk, null, signal, (row, hasher) => {
        const bucket = hasher.bucketOf(row, chunk.buckets);
        if (some && !some.has(bucket)) return;
        digests.set(bucket, addRow(digests.get(bucket) ?? NO_ROWS, row.hash));
      });
      return digests;
    },
    keys: async (chunk, buckets, signal) => {
      const keys = new Map<string, KeyDigest>();
      const some = new Set(buckets);
      const wanted = (row: RedactedRow, hasher: RowHasher): boolean =>
        some.has(hasher.bucketOf(row, chunk.buckets));
      await readKeys(chunk, null, wanted, signal, keys);
      return keys;
    },
    rows: async (candidates, signal) => {
      const keys = new Map<string, KeyDigest>();
      const ids = new Set(candidates.map((candidate) => candidate.id));
      const wanted = (row: RedactedRow, hasher: RowHasher): boolean => ids.has(hasher.keyOf(row).id);
      // Where no part of the key is readable in the source's tables, the candidates' chunks are read again whole.
      for (const [chunk, inside] of Map.groupBy(candidates, (candidate) => candidate.chunk))
        await readKeys(chunk, inside, wanted, signal, keys);
      return keys;
    },
  };
};

/** A row after redaction; valid until the next one. */
export interface RedactedRow {
  readonly fields: readonly (Buffer | null)[];
  readonly hash: bigint;
  readonly version: Buffer;
}

export class RowHasher {
  readonly #context: SqlContext;
  readonly #redactors;
  /** Memory for each redacted column, made once. */
  readonly #memory: readonly Buffer[];
  readonly #rowBytes: RecordBytes;
  readonly #keyBytes = new RecordBytes();
  readonly #keyFields: readonly number[];
  readonly #tenantField: number;

  constructor(context: SqlContext) {
    const { columns, key, scope } = context.unit;
    this.#context = context;
    this.#redactors = compileRedactors(columns.map((column) => column.action));
    this.#memory = this.#redactors.map((redactor) => Buffer.alloc(Math.max(0, redactor.fixedLength)));
    this.#rowBytes = new RecordBytes(context.seed);
    this.#keyFields = key.map((column) => columns.indexOf(column));
    this.#tenantField = scope ? columns.indexOf(scope.column) : -1;
  }

  redact({ bytes, starts, ends }: CopyRow): RedactedRow {
    const fields = this.#redactors.map((redactor, i): Buffer | null => {
      const start = starts[i]!;
      const end = ends[i]!;
      if (end === -1) return null;
      if (redactor.kind === 'allow') return bytes.subarray(start, end);
      const memory = this.#memory[i]!;
      return memory.subarray(0, redactor.write(bytes, start, end, memory, 0));
    });
    const last = fields.length;
    return {
      fields,
      hash: BigInt.asIntN(64, BigInt(`0x${sha256(this.#rowBytes.of(fields)).slice(0, 16)}`)),
      version: bytes.subarray(starts[last], ends[last]),
    };
  }

  bucketOf(row: RedactedRow, buckets: number): number {
    if (this.#keyFields.length === 0) return Number(row.hash & BigInt(buckets - 1));
    const key = this.#keyFields.map((field) => row.fields[field] ?? null);
    return Number.parseInt(sha256(this.#keyBytes.of(key)).slice(0, 8), 16) & (buckets - 1);
  }

  keyOf(row: RedactedRow): { id: string; key: (string | null)[]; tenant: string | null; version: bigint } {
    const text = (field: number): string | null => row.fields[field]?.toString('utf8') ?? null;
    const key = this.#keyFields.length === 0 ? [String(row.hash)] : this.#keyFields.map(text);
    const tenant = this.#context.unit.scope ? text(this.#tenantField) : null;
    return { id: keyId(key, tenant), key, tenant, version: BigInt(row.version.toString('latin1')) };
  }
}

const sha256 = (bytes: Buffer): string => hash('sha256', bytes, 'hex');
