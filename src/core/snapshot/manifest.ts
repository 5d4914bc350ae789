/**
 * What a snapshot is: every part with its table, range, rows, sizes and sha256, and what all of them rest on. Written
 * last, signed, and never changed: without its manifest, what lies in a store is no snapshot.
 */

import { Buffer } from 'node:buffer';
import canonicalize from 'canonicalize';
import * as z from 'zod/mini';
import { XcError } from '../errors/xc-error.ts';

export const SNAPSHOT_FORMATS = ['copy', 'csv', 'ndjson'] as const;
export type SnapshotFormat = (typeof SNAPSHOT_FORMATS)[number];
export const COMPRESSIONS = ['zstd', 'none'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

const hex = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const count = z.int().check(z.minimum(0));
const lsn = z.string().check(z.regex(/^[0-9A-F]+\/[0-9A-F]+$/i));

export const partSchema = z.strictObject({
  /** From 0, in the order of tables and of their pages. */
  number: count,
  /** Below the tenant's place in the store. */
  key: z.string(),
  table: z.string(),
  /** Pages [from, to) of the table, or of each of its partitions; null is open. */
  pages: z.strictObject({ from: z.nullable(count), to: z.nullable(count) }),
  rows: count,
  /** Of the object. */
  bytes: count,
  sha256: hex,
  /** Before compression. */
  rawBytes: count,
  rawSha256: hex,
});

const column = z.strictObject({
  name: z.string(),
  type: z.string(),
  notNull: z.boolean(),
  /** What the tenant's policy did with it; allow where it left as it is. */
  action: z.enum(['allow', 'hash', 'mask']),
});

const table = z.strictObject({
  table: z.string(),
  schema: z.string(),
  name: z.string(),
  columns: z.array(column),
  primaryKey: z.array(z.string()),
  /** Columns that the policy left out. */
  dropped: z.array(z.string()),
  rows: count,
  bytes: count,
  parts: count,
});

const sequence = z.strictObject({
  schema: z.string(),
  name: z.string(),
  ownedBy: z.nullable(z.strictObject({ table: z.string(), column: z.string() })),
  /** Null for one that was never used. */
  lastValue: z.nullable(z.string()),
});

const type = z.strictObject({
  schema: z.string(),
  name: z.string(),
  kind: z.string(),
  labels: z.array(z.string()),
  base: z.nullable(z.string()),
});

const gateRow = z.strictObject({
  gate: z.string(),
  name: z.string(),
  verdict: z.string(),
  simulated: z.boolean(),
  reason: z.string(),
});

const ddl = z.union([
  z.strictObject({ key: z.string(), bytes: count, sha256: hex, by: z.string() }),
  z.strictObject({ missing: z.string() }),
]);

export const manifestSchema = z.strictObject({
  schemaVersion: z.literal(1),
  kind: z.literal('snapshot'),
  id: z.string().check(z.regex(/^sn_[0-9A-Z]{26}$/)),
  createdAt: z.iso.datetime(),
  mode: z.enum(['live', 'simulation']),
  controlPlane: z.string(),
  tenant: z.string(),
  scope: z.record(z.string(), z.string()),
  source: z.strictObject({
    region: z.string(),
    database: z.string(),
    system: z.string(),
    timeline: z.int(),
    version: z.int(),
  }),
  /** Every commit that the snapshot shows is before this position, and none that it does not show is before `from`. */
  lsn,
  from: lsn,
  /** pg_current_snapshot(): tells which transactions between the two positions it shows. */
  visible: z.string(),
  format: z.enum(SNAPSHOT_FORMATS),
  compression: z.enum(COMPRESSIONS),
  schemaHash: z.string(),
  /** Of the configuration. */
  config: z.string(),
  policy: z.strictObject({ digest: z.string(), gates: z.array(gateRow) }),
  tables: z.array(table),
  types: z.array(type),
  sequences: z.array(sequence),
  ddl,
  parts: z.array(partSchema),
  merkleRoot: hex,
  rows: count,
  bytes: count,
});

export type Manifest = z.output<typeof manifestSchema>;
export type SnapshotPart = Manifest['parts'][number];
export type SnapshotTable = Manifest['tables'][number];

/** Below the tenant's place in a store. */
export const MANIFESTS = 'snapshots/manifests/';
export const manifestKey = (id: string): string => `${MANIFESTS}${id}.json`;
export const signatureKey = (id: string): string => `${MANIFESTS}${id}.json.sigstore.json`;
export const PARTS = 'snapshots/parts/';
export const partsOf = (id: string): string => `${PARTS}${id}/`;
export const BEGUN = 'snapshots/begun/';
/** What a snapshot that is being made knows of itself: gone once its manifest is there. */
export const begunOf = (id: string): string => `${BEGUN}${id}/`;

/** The id of a manifest's key, or null for another key. */
export const idOfManifest = (key: string): string | null =>
  /^snapshots\/manifests\/(sn_[0-9A-Z]{26})\.json$/.exec(key)?.[1] ?? null;

/** Canonical JSON (RFC 8785): the bytes that are signed. */
export const manifestBytes = (manifest: Manifest): Buffer => Buffer.from(canonicalize(manifest) ?? '');

/** @throws XcError XC-5410 for what is no manifest of this version */
export const parseManifest = (bytes: Uint8Array, subject: string): Manifest => {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString());
  } catch (error) {
    throw new XcError('XC-5410', { subject, why: 'it is no JSON', cause: error });
  }
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new XcError('XC-5410', { subject, why: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` });
};
