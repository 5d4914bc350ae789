/**
 * Signed notes (C2SP signed-note): a text, an empty line, and a line for each signature with the key's name and
 * base64(4 bytes of key id, signature). Other tools read and verify them.
 */

import { Buffer } from 'node:buffer';

export interface NoteSigner {
  /** No spaces, no plus sign. */
  readonly name: string;
  /** 4 bytes. */
  readonly keyId: Uint8Array;
  sign(text: Uint8Array): Promise<Uint8Array>;
}

export interface NoteVerifier {
  readonly name: string;
  readonly keyId: Uint8Array;
  verify(text: Uint8Array, signature: Uint8Array): boolean;
}

/** Why a note counts for nothing. */
export type NoteFault = 'malformed' | 'unsigned' | 'bad-signature';

const KEY_ID_BYTES = 4;
/** C2SP signed-note asks for at least 16; more than this is nobody's checkpoint. */
const MAX_SIGNATURES = 100;
const SIGNATURE_LINE = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u;
// eslint-disable-next-line no-control-regex -- what the format forbids
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/u;

/** @throws RangeError for a text that a note cannot hold */
export const signNote = async (text: string, signers: readonly NoteSigner[]): Promise<string> => {
  if (!text.endsWith('\n') || CONTROL.test(text))
    throw new RangeError('a note ends with a newline, and has no control characters');
  const bytes = Buffer.from(text);
  const lines: string[] = [];
  for (const signer of signers) {
    const signature = Buffer.concat([signer.keyId, await signer.sign(bytes)]).toString('base64');
    lines.push(`— ${signer.name} ${signature}\n`);
  }
  return `${text}\n${lines.join('')}`;
};

/**
 * The text, where at least one known key signed it and none of the known keys' signatures is wrong; otherwise why not.
 * Signatures of unknown keys are passed over.
 */
export const openNote = (
  note: string,
  verifiers: readonly NoteVerifier[],
): { readonly text: string; readonly by: readonly NoteVerifier[] } | NoteFault => {
  const parsed = parseNote(note);
  if (!parsed) return 'malformed';
  const bytes = Buffer.from(parsed.text);
  const by: NoteVerifier[] = [];
  for (const { name, keyId, signature } of parsed.signatures) {
    const key = verifiers.find((one) => one.name === name && Buffer.compare(one.keyId, keyId) === 0);
    if (!key) continue;
    if (!key.verify(bytes, signature)) return 'bad-signature';
    by.push(key);
  }
  return by.length === 0 ? 'unsigned' : { text: parsed.text, by };
};

interface Signature {
  readonly name: string;
  readonly keyId: Buffer;
  readonly signature: Buffer;
}

const parseNote = (note: string): { text: string; signatures: Signature[] } | null => {
  const split = note.lastIndexOf('\n\n');
  if (split < 0 || !note.endsWith('\n') || CONTROL.test(note)) return null;
  const lines = note.slice(split + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) return null;
  const signatures: Signature[] = [];
  for (const line of lines) {
    const found = SIGNATURE_LINE.exec(line);
    const bytes = Buffer.from(found?.[2] ?? '', 'base64');
    if (!found || bytes.length <= KEY_ID_BYTES || bytes.toString('base64') !== found[2]) return null;
    signatures.push({
      name: found[1]!,
      keyId: bytes.subarray(0, KEY_ID_BYTES),
      signature: bytes.subarray(KEY_ID_BYTES),
    });
  }
  return { text: note.slice(0, split + 1), signatures };
};
