/** Prepared statements of one session, by their SQL: parsed once, the least recently used closed past a limit. */

import type { MessageWriter } from './messages.ts';

/** Four for each of a thousand tables: one that was closed costs five times its execution for ten rows to plan again. */
const MAX_STATEMENTS = 4_000;
/**
 * A plan costs the server some 20 kB where a table has few columns, and more where it has many: about a hundred bytes for
 * each character of the statement. So they take 100 MB at most.
 */
const MAX_CHARACTERS = 1_000_000;

export class Statements {
  readonly #names = new Map<string, string>();
  #next = 0;
  #characters = 0;

  /** The statement's name; writes a Parse where it is not prepared yet. */
  prepare(writer: MessageWriter, sql: string, types: readonly number[] = []): string {
    const known = this.#names.get(sql);
    if (known !== undefined) {
      this.#names.delete(sql);
      this.#names.set(sql, known);
      return known;
    }
    const name = `x${++this.#next}`;
    writer.parse(name, sql, types);
    this.#names.set(sql, name);
    this.#characters += sql.length;
    while (this.#names.size > MAX_STATEMENTS || this.#characters > MAX_CHARACTERS)
      if (!this.#evict(writer, sql)) break;
    return name;
  }

  /** After a failed exchange nobody knows which Parse was reached: the server forgets all, and so do we. */
  forget(writer: MessageWriter): void {
    this.#names.clear();
    this.#characters = 0;
    writer.query('DEALLOCATE ALL');
  }

  /** Closes the oldest. @param kept is about to be used: false where it is the only one */
  #evict(writer: MessageWriter, kept: string): boolean {
    const [oldest] = this.#names;
    if (!oldest || oldest[0] === kept) return false;
    this.#names.delete(oldest[0]);
    this.#characters -= oldest[0].length;
    writer.closeStatement(oldest[1]);
    return true;
  }
}
