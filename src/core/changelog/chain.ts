/**
 * The chain that a change log's lines make: every line ends with a digest over itself and the line before, so that an
 * edited, missing, doubled or moved line is found where it stands. It has no key: it finds accidents and careless hands,
 * not a forger who writes the rest of the log anew.
 */

import { hash } from 'node:crypto';

/** 128 bits in hexadecimal. */
const DIGEST_CHARACTERS = 32;

/** What stands before the first line of a log. */
export const CHAIN_START = '0'.repeat(DIGEST_CHARACTERS);

const BEFORE = ',"h":"';
const AFTER = '"}';
const TAIL_CHARACTERS = BEFORE.length + DIGEST_CHARACTERS + AFTER.length;

export interface ChainedLine {
  /** Without its newline. */
  readonly text: string;
  readonly digest: string;
}

/** @param record JSON of an object with at least one field */
export const chained = (previous: string, record: string): ChainedLine => {
  const body = record.slice(0, -1);
  const digest = digestOf(previous, body);
  return { text: `${body}${BEFORE}${digest}${AFTER}`, digest };
};

/** The line's digest, or null where the line is not the one that was written after `previous`. */
export const verifiedDigest = (previous: string, text: string): string | null => {
  const cut = text.length - TAIL_CHARACTERS;
  if (cut <= 0) return null;
  const digest = digestOf(previous, text.slice(0, cut));
  return text.slice(cut) === `${BEFORE}${digest}${AFTER}` ? digest : null;
};

const digestOf = (previous: string, body: string): string =>
  hash('sha256', `${previous}\n${body}`, 'hex').slice(0, DIGEST_CHARACTERS);
