/**
 * From a line to its record. The digest has said that the line is as it was written; what is asked here is whether it is
 * a record that this version knows.
 */

import * as z from 'zod/mini';
import { XcError } from '../errors/xc-error.ts';
import { FORMAT, type HeaderRecord, type LogRecord, type SealRecord, type TableRecord } from './records.ts';

export type RecordKind = LogRecord['t'];

const KIND = /^\{"t":"([a-z]+)"/;

/** Kind of a line's record without reading the rest of it; null where it is none. */
export const kindOf = (text: string): RecordKind | null => {
  const kind = KIND.exec(text)?.[1];
  return kind !== undefined && KINDS.has(kind) ? (kind as RecordKind) : null;
};

const KINDS: ReadonlySet<string> = new Set<RecordKind>([
  'header',
  'table',
  'begin',
  'insert',
  'update',
  'delete',
  'truncate',
  'commit',
  'position',
  'copied',
  'seal',
]);

const position = z.string().check(z.regex(/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/));
const names = z.array(z.string());

const header = z.looseObject({
  t: z.literal('header'),
  format: z.int(),
  log: z.string(),
  genesis: z.nullable(z.string()),
  file: z.int(),
  previous: z.nullable(z.string()),
  controlPlane: z.string(),
  link: z.looseObject({
    id: z.string(),
    rule: z.string(),
    tenant: z.string(),
    scope: z.looseObject({ kind: z.enum(['column', 'schema', 'database']) }),
  }),
  source: z.looseObject({
    region: z.string(),
    database: z.string(),
    system: z.string(),
    timeline: z.int(),
    version: z.int(),
  }),
  start: position,
  copy: z.boolean(),
  position,
});

const table = z.looseObject({
  t: z.literal('table'),
  table: z.int(),
  name: z.string(),
  columns: names,
  key: names,
  redacted: z.record(z.string(), z.enum(['hash', 'mask'])),
  facts: z.looseObject({
    schema: z.string(),
    name: z.string(),
    columns: z.array(z.looseObject({ name: z.string(), typeOid: z.int(), typeModifier: z.int() })),
    indexes: z.array(z.looseObject({ columns: names })),
    primaryKey: names,
    identityColumns: names,
  }),
  types: z.array(z.looseObject({ oid: z.int(), name: z.string() })),
});

const seal = z.looseObject({
  t: z.literal('seal'),
  lsn: position,
  lines: z.int(),
  bytes: z.int(),
  sha256: z.string(),
  next: z.nullable(z.string()),
});

/** @throws XcError XC-5036 */
export const parseHeader = (text: string, where: string): HeaderRecord => {
  const value = readJson(text, where);
  const { format } = (value ?? {}) as { format?: unknown };
  if (typeof format === 'number' && format > FORMAT)
    throw new XcError('XC-5036', {
      subject: where,
      why: `format ${format}, and this version reads up to ${FORMAT}`,
    });
  return checked(header, value, where) as unknown as HeaderRecord;
};

/** @throws XcError XC-5036 */
export const parseTable = (text: string, where: string): TableRecord =>
  checked(table, readJson(text, where), where) as unknown as TableRecord;

/** @throws XcError XC-5036 */
export const parseSeal = (text: string, where: string): SealRecord =>
  checked(seal, readJson(text, where), where);

const checked = <T>(schema: z.ZodMiniType<T>, value: unknown, where: string): T => {
  const parsed = schema.safeParse(value);
  // The value itself, with its fields in their order: a table is compared with what was written of it.
  if (parsed.success) return value as T;
  const first = parsed.error.issues[0];
  throw new XcError('XC-5036', {
    subject: where,
    why: `${first?.path.join('.') ?? ''}: ${first?.message ?? 'no such record'}`,
  });
};

/** @throws XcError XC-5036 */
export const readJson = (text: string, where: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw new XcError('XC-5036', { subject: where, why: 'the line is no JSON' });
  }
};
