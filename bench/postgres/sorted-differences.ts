/** The plain way to find differing rows: both sides streamed in the order of the key, and compared row by row. */

import { Client } from 'pg';
import { to as copyTo } from 'pg-copy-streams';

export interface SortedDifferences {
  readonly keys: readonly string[];
  readonly bytes: number;
}

/** Rows as COPY's text, one a line. @param keyFields number of leading columns that are the key */
export const sortedDifferences = async (what: {
  readonly source: string;
  readonly target: string;
  readonly query: string;
  readonly keyFields: number;
}): Promise<SortedDifferences> => {
  const sides = [await open(what.source), await open(what.target)] as const;
  const count = { bytes: 0 };
  const [source, target] = sides.map((side) => new SortedRows(side, what.query, count));
  const keys: string[] = [];
  const keyOf = (line: string): string => line.split('\t', what.keyFields).join('\t');
  for (;;) {
    // Only where a side's rows are used up there is anything to wait for.
    if (source!.isEmpty) await source!.more();
    if (target!.isEmpty) await target!.more();
    const [left, right] = [source!.row, target!.row];
    if (left === null && right === null) break;
    if (left !== right) {
      const [a, b] = [left === null ? null : keyOf(left), right === null ? null : keyOf(right)];
      keys.push((a === null || (b !== null && b < a) ? b : a)!);
      if (a !== null && (b === null || a <= b)) source!.next();
      if (b !== null && (a === null || b <= a)) target!.next();
    } else {
      source!.next();
      target!.next();
    }
  }
  await Promise.all(sides.map((side) => side.end()));
  return { keys, bytes: count.bytes };
};

const open = async (dsn: string): Promise<Client> => {
  const client = new Client({ connectionString: dsn });
  await client.connect();
  return client;
};

class SortedRows {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #count: { bytes: number };
  #rows: string[] = [];
  #at = 0;
  #rest = '';
  #ended = false;

  constructor(client: Client, query: string, count: { bytes: number }) {
    this.#chunks = client.query(copyTo(`COPY (${query}) TO STDOUT`))[Symbol.asyncIterator]();
    this.#count = count;
  }

  get isEmpty(): boolean {
    return this.#at === this.#rows.length && !this.#ended;
  }

  /** null at the end. */
  get row(): string | null {
    return this.#rows[this.#at] ?? null;
  }

  next(): void {
    this.#at++;
  }

  async more(): Promise<void> {
    while (this.isEmpty) {
      const chunk = await this.#chunks.next();
      if (chunk.done === true) {
        this.#ended = true;
        return;
      }
      this.#count.bytes += chunk.value.length;
      this.#rows = (this.#rest + chunk.value.toString('latin1')).split('\n');
      this.#rest = this.#rows.pop() ?? '';
      this.#at = 0;
    }
  }
}
