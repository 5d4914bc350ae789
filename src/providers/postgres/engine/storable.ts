/** Texts of ours in a database whose encoding may not have their characters: what is lacking is written as an escape. */

import type { Client } from 'pg';

/** These take any text, or any bytes. */
const TAKES_ALL = new Set(['UTF8', 'SQL_ASCII']);

/** The same object with every text made one that the client's database can hold. */
export const storable = async <T>(client: Client, value: T): Promise<T> => {
  const { rows } = await client.query<{ encoding: string }>('SELECT getdatabaseencoding() AS encoding');
  return TAKES_ALL.has(rows[0]?.encoding ?? '') ? value : (plain(value) as T);
};

const plain = (value: unknown): unknown => {
  if (typeof value === 'string') return asciiOf(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
};

const asciiOf = (text: string): string =>
  text
    .replaceAll('’', "'")
    .replaceAll(/[^\x20-\x7e\n\t]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
