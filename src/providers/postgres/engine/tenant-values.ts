/**
 * Tenants' values as the source sends them: bytes of the binary or the text form in the type of each table's tenant
 * column. Asked of the server once, because only its types know (char(n) pads, uuid and integers are binary).
 */

import type { Client } from 'pg';
import { rowScope } from '../../../core/plan/scope.ts';
import type { Link } from '../../../core/topology/link.ts';
import type { Catalogue, TableName } from '../../../core/topology/table.ts';
import { ident } from '../quote.ts';

export interface TenantValues {
  /** As latin1. */
  bytes(table: TableName, column: string, value: string, binary: boolean): string;
}

export const readTenantValues = async (
  client: Client,
  links: readonly Link[],
  source: Catalogue,
): Promise<TenantValues> => {
  const byColumn = new Map<string, Set<string>>();
  for (const link of links) {
    const scope = rowScope(link);
    if (!scope) continue;
    const values = byColumn.get(scope.column) ?? new Set<string>();
    byColumn.set(scope.column, values.add(scope.value));
  }
  const typeOf = new Map<string, string>();
  const wanted = new Map<string, { typeOid: number; typeName: string; values: Set<string> }>();
  for (const [table, facts] of source.tables)
    for (const column of facts.columns) {
      const values = byColumn.get(column.name);
      if (!values) continue;
      typeOf.set(`${table}\n${column.name}`, column.typeName);
      const entry = wanted.get(column.typeName) ?? {
        typeOid: column.typeOid,
        typeName: column.typeName,
        values: new Set(),
      };
      for (const value of values) entry.values.add(value);
      wanted.set(column.typeName, entry);
    }
  const forms = new Map<string, { binary: string; text: string }>();
  for (const { typeOid, typeName, values } of wanted.values())
    for (const form of await formsOf(client, typeOid, typeName, [...values]))
      forms.set(`${typeName}\n${form.value}`, form);
  return {
    bytes: (table, column, value, binary) => {
      const form = forms.get(`${typeOf.get(`${table}\n${column}`) ?? ''}\n${value}`);
      return (binary ? form?.binary : form?.text) ?? '';
    },
  };
};

const SEND = `
  SELECT n.nspname AS schema, p.proname AS name FROM pg_type t JOIN pg_proc p ON p.oid = t.typsend
    JOIN pg_namespace n ON n.oid = p.pronamespace WHERE t.oid = $1`;

/** A value that is none of the type (a word where numbers are) has no form: no row can have it. */
const formsOf = async (
  client: Client,
  typeOid: number,
  typeName: string,
  values: readonly string[],
): Promise<{ value: string; binary: string; text: string }[]> => {
  const { rows: senders } = await client.query<{ schema: string; name: string }>(SEND, [typeOid]);
  const [send] = senders;
  const binary = send ? `encode(${ident(send.schema)}.${ident(send.name)}(v::${typeName}), 'hex')` : 'NULL';
  const sql = `SELECT v AS value, ${binary} AS binary, (v::${typeName})::text AS text FROM unnest($1::text[]) AS v`;
  const read = async (some: readonly string[]): Promise<FormRow[]> =>
    (await client.query<FormRow>(sql, [some])).rows;
  const rows = await read(values).catch(async (error: unknown) => {
    if (!isInvalidValue(error)) throw error;
    const each = await Promise.all(values.map((value) => read([value]).catch(() => [])));
    return each.flat();
  });
  return rows.map((row) => ({
    value: row.value,
    binary: Buffer.from(row.binary ?? '', 'hex').toString('latin1'),
    text: Buffer.from(row.text, 'utf8').toString('latin1'),
  }));
};

interface FormRow {
  readonly value: string;
  readonly binary: string | null;
  readonly text: string;
}

/** SQLSTATE class 22: data exception. */
const isInvalidValue = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('22');
