/**
 * Scratch copies of some rows of a table, one on either side, in temporary tables of the two sessions: the server takes
 * them away with the session, however that ends, and nobody else ever sees them. The rows go the way of a copy: read at
 * the source, redacted in the runner, written on the target.
 */

import { Buffer } from 'node:buffer';
import type { Client } from 'pg';
import { compileRedactors } from '../../../core/policy/redactor.ts';
import type { FieldRedactor } from '../../../core/change/field-redactor.ts';
import type { NamedKey } from '../../../core/validation/finding.ts';
import { ROW_HASH } from '../../../core/validation/compare/table-verdict.ts';
import { ident, qualified } from '../quote.ts';
import { bucketRowsSql } from './sql.ts';
import type { TableUnit } from './unit.ts';
import { rawText, valueText } from './value-text.ts';
import type { SideName } from './verify-table.ts';

export interface ScratchSessions {
  readonly source: Client;
  readonly target: Client;
}

/** A row with more text than this is left out: a copy must be nothing to the runner's memory. */
const ROW_BYTES = 1024 * 1024;
/** Rows among which those of the copy are. */
const LOOKED_AT = 200;

const PLACE = { schema: 'pg_temp', name: 'xcrepl_self_test' };
const TABLE = qualified(PLACE);
/** Numbers the rows of a copy on both sides. No column of a table can be called so by chance. */
const NUMBER = ident('xcrepl self-test row');

export class Scratch {
  readonly unit: TableUnit;
  readonly #sessions: ScratchSessions;
  #rows: readonly number[] = [];

  private constructor(unit: TableUnit, sessions: ScratchSessions) {
    this.unit = unit;
    this.#sessions = sessions;
  }

  /**
   * Copies at most so many rows of the unit.
   * @throws DatabaseError where a side allows no temporary table
   */
  static async make(sessions: ScratchSessions, unit: TableUnit, rows: number): Promise<Scratch> {
    const scratch = new Scratch(unit, sessions);
    await scratch.#fillSource(rows);
    scratch.#rows = await scratch.#fillTarget();
    return scratch;
  }

  /** Numbers of the rows that both copies have. */
  get rows(): readonly number[] {
    return this.#rows;
  }

  /** What `verifyLinks` compares: the scratch tables in place of the real ones. */
  get table(): TableUnit['table'] {
    const { table, linksOf } = this.unit;
    const side = { ...PLACE, partitioned: false, windowColumn: null };
    const links = new Set([...linksOf.values()].flat());
    return {
      ...table,
      source: side,
      target: side,
      estimatedRows: this.#rows.length,
      links: table.links.filter(({ link }) => links.has(link)),
      window: null,
    };
  }

  /** The key of a row as a comparison names it; a row without key has only its hash, which nobody asks for. */
  async key(row: number): Promise<NamedKey['key']> {
    const { key } = this.unit;
    if (key.length === 0) return { [ROW_HASH]: null };
    const texts = key.map((column) => valueText(column, 'target'));
    const { rows } = await this.#sessions.target.query<(string | null)[]>({
      text: `SELECT ${texts.join(', ')} FROM ${TABLE} AS t WHERE ${NUMBER} = ${row}`,
      rowMode: 'array',
    });
    return Object.fromEntries(key.map(({ name }, i) => [name, rows[0]?.[i] ?? null]));
  }

  async remove(side: SideName, row: number): Promise<void> {
    await this.#sessions[side].query(`DELETE FROM ${TABLE} WHERE ${NUMBER} = ${row}`);
  }

  /** Takes the value of some column away on the target; false where the row has none outside key and tenant. */
  async change(row: number): Promise<boolean> {
    const { columns, key, scope } = this.unit;
    for (const column of columns) {
      if (key.includes(column) || column.name === scope?.column.name) continue;
      const name = ident(column.target.column);
      // A domain may refuse NULL: then it is another column's turn.
      const { rowCount } = await this.#sessions.target
        .query(
          `UPDATE ${TABLE} SET ${name} = NULL WHERE ${NUMBER} = ${row} AND ${name} IS DISTINCT FROM NULL`,
        )
        .catch(() => ({ rowCount: 0 }));
      if (rowCount === 1) return true;
    }
    return false;
  }

  async #fillSource(rows: number): Promise<void> {
    const { unit } = this;
    const names = unit.columns.map(({ source }) => `t.${ident(source.column)}`);
    const whole = { after: null, upTo: null, buckets: 1 };
    const from = bucketRowsSql(
      { unit, side: 'source', range: [], seed: '', hashing: 'portable' },
      whole,
      null,
    );
    await this.#sessions.source.query(
      `CREATE TEMPORARY TABLE ${ident(PLACE.name)} AS SELECT row_number() OVER () AS ${NUMBER}, s.* ` +
        `FROM (SELECT ${names.join(', ')} ${from} LIMIT ${LOOKED_AT}) AS s ` +
        `WHERE octet_length(s::text) <= ${ROW_BYTES} LIMIT ${rows}`,
    );
  }

  async #fillTarget(): Promise<number[]> {
    const { unit } = this;
    const { source, target } = this.#sessions;
    const names = unit.columns.map((column) => ident(column.target.column));
    await target.query(
      `CREATE TEMPORARY TABLE ${ident(PLACE.name)} AS SELECT 0::bigint AS ${NUMBER}, ${names.join(', ')} ` +
        `FROM ONLY ${qualified(unit.table.target)} WITH NO DATA`,
    );
    const texts = unit.columns.map(rawText);
    const { rows } = await source.query<(string | null)[]>({
      text: `SELECT ${NUMBER}::text, ${texts.join(', ')} FROM ${TABLE} AS t ORDER BY ${NUMBER}`,
      rowMode: 'array',
    });
    const redactors = compileRedactors(unit.columns.map(({ action }) => action));
    const places = names.map((_, i) => `$${i + 2}`).join(', ');
    for (const [number, ...fields] of rows)
      await target.query(`INSERT INTO ${TABLE} VALUES ($1, ${places})`, [
        number,
        ...fields.map((field, i) => redact(redactors[i]!, field)),
      ]);
    return rows.map(([number]) => Number(number));
  }
}

const redact = (redactor: FieldRedactor, text: string | null): string | null => {
  if (text === null || redactor.kind === 'allow') return text;
  const bytes = Buffer.from(text);
  const written = Buffer.alloc(redactor.fixedLength);
  return written.toString('utf8', 0, redactor.write(bytes, 0, bytes.length, written, 0));
};
