/**
 * Proofs as files that stand alone. An entry's is in C2SP tlog-proof's form, with the entry's own bytes as its extra
 * data; that of one checkpoint's consistency with another is the same in spirit, under a name of our own.
 */

import { Buffer } from 'node:buffer';
import { parseCheckpoint, type Checkpoint } from './checkpoint.ts';
import { HASH_BYTES, leafHash, provesConsistency, provesInclusion } from './merkle.ts';
import { openNote, type NoteVerifier } from './note.ts';

const INCLUSION = 'c2sp.org/tlog-proof@v1';
const CONSISTENCY = 'xcrepl/tlog-consistency@v1';

export type Proof =
  | {
      readonly kind: 'inclusion';
      readonly index: number;
      readonly entry: Uint8Array;
      readonly hashes: readonly Uint8Array[];
      /** A signed note. */
      readonly checkpoint: string;
    }
  | {
      readonly kind: 'consistency';
      readonly hashes: readonly Uint8Array[];
      /** Signed notes of the smaller and the larger tree. */
      readonly from: string;
      readonly checkpoint: string;
    };

export type Judgement =
  | {
      readonly holds: true;
      readonly checkpoint: Checkpoint;
      readonly first?: Checkpoint;
      readonly entry?: string;
    }
  | { readonly holds: false; readonly why: string };

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

export const formatProof = (proof: Proof): string => {
  const hashes = proof.hashes.map((one) => `${base64(one)}\n`).join('');
  return proof.kind === 'inclusion'
    ? `${INCLUSION}\nextra ${base64(proof.entry)}\nindex ${proof.index}\n${hashes}\n${proof.checkpoint}`
    : `${CONSISTENCY}\nfrom ${base64(Buffer.from(proof.from))}\n${hashes}\n${proof.checkpoint}`;
};

/** Null where the text is no proof. */
export const parseProof = (text: string): Proof | null => {
  const split = text.indexOf('\n\n');
  if (split < 0) return null;
  const [head, ...lines] = text.slice(0, split).split('\n');
  const checkpoint = text.slice(split + 2);
  if (head === INCLUSION) {
    const entry = decoded(/^extra (.*)$/.exec(lines.shift() ?? '')?.[1]);
    const index = /^index (0|[1-9]\d{0,15})$/.exec(lines.shift() ?? '')?.[1];
    const hashes = hashesOf(lines);
    return entry && index !== undefined && hashes
      ? { kind: 'inclusion', index: Number(index), entry, hashes, checkpoint }
      : null;
  }
  if (head !== CONSISTENCY) return null;
  const from = decoded(/^from (.*)$/.exec(lines.shift() ?? '')?.[1]);
  const hashes = hashesOf(lines);
  return from && hashes ? { kind: 'consistency', hashes, from: from.toString(), checkpoint } : null;
};

const decoded = (text: string | undefined): Buffer | null => {
  if (text === undefined) return null;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
};

const hashesOf = (lines: readonly string[]): Buffer[] | null => {
  const hashes = lines.map(decoded);
  return hashes.every((one) => one?.length === HASH_BYTES) ? hashes.filter((one) => one !== null) : null;
};

/** Name of the log that a proof claims to be of: its checkpoint's first line. Null where it has none. */
export const logOf = (proof: string): string | null => {
  const checkpoint = parseProof(proof)?.checkpoint;
  return checkpoint === undefined ? null : (checkpoint.split('\n')[0] ?? null);
};

/** Judges a proof with nothing but the public keys of the log. */
export const judgeProof = (text: string, verifiers: readonly NoteVerifier[]): Judgement => {
  const proof = parseProof(text);
  if (!proof) return no('the file is no proof');
  const checkpoint = opened(proof.checkpoint, verifiers);
  if (typeof checkpoint === 'string') return no(`the checkpoint ${checkpoint}`);
  if (proof.kind === 'inclusion') {
    if (!provesInclusion({ ...checkpoint, index: proof.index }, leafHash(proof.entry), proof.hashes))
      return no(`the entry is not number ${proof.index} of the log of ${checkpoint.size} entries`);
    return { holds: true, checkpoint, entry: Buffer.from(proof.entry).toString() };
  }
  const first = opened(proof.from, verifiers);
  if (typeof first === 'string') return no(`the first checkpoint ${first}`);
  if (first.origin !== checkpoint.origin) return no('the checkpoints are of two logs');
  if (!provesConsistency(first, checkpoint, proof.hashes))
    return no(`the log of ${first.size} entries is not the beginning of that of ${checkpoint.size}`);
  return { holds: true, checkpoint, first };
};

const no = (why: string): Judgement => ({ holds: false, why });

const FAULTS = {
  malformed: 'is no signed note',
  unsigned: 'is not signed by a known key',
  'bad-signature': 'has a signature that does not fit',
} as const;

/** The checkpoint of a note that a known key signed, or what is wrong with it, as the end of a sentence. */
export const opened = (note: string, verifiers: readonly NoteVerifier[]): Checkpoint | string => {
  const open = openNote(note, verifiers);
  if (typeof open === 'string') return FAULTS[open];
  return parseCheckpoint(open.text) ?? 'is no checkpoint';
};
