/** Prepared statements of one session, by their SQL: parsed once, the least recently used closed past a limit. */

import type { MessageWriter } from './messages.ts';

/** A plan of the server costs some 10 to 100 kB; a thousand tables must not cost gigabytes. */
const MAX_STATEMENTS = 400;

export class Statements {
  readonly #names = new Map<string, string>();
  #next = 0;

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
    this.#evict(writer);
    return name;
  }

  /** After a failed exchange nobody knows which Parse was reached: the server forgets all, and so do we. */
  forget(writer: MessageWriter): void {
    this.#names.clear();
    writer.query('DEALLOCATE ALL');
  }

  #evict(writer: MessageWriter): void {
    if (this.#names.size <= MAX_STATEMENTS) return;
    const [oldest] = this.#names;
    if (!oldest) return;
    this.#names.delete(oldest[0]);
    writer.closeStatement(oldest[1]);
  }
}
