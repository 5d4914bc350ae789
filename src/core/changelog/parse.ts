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
  check(header, value, where);
  return value as HeaderRecord;
};

/** @throws XcError XC-5036 */
export const parseTable = (text: string, where: string): TableRecord => {
  const value = readJson(text, where);
  check(table, value, where);
  return value as TableRecord;
};

/** @throws XcError XC-5036 */
export const parseSeal = (text: string, where: string): SealRecord => {
  const value = readJson(text, where);
  check(seal, value, where);
  return value as SealRecord;
};

/**
 * The schema asks for what is worked with; the rest of a record is what this program wrote, which the digest has shown.
 * The value itself is given on, with its fields in their order: a table is compared with what was written of it.
 */
const check = (schema: z.ZodMiniType, value: unknown, where: string): void => {
  const parsed = schema.safeParse(value);
  if (parsed.success) return;
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
