import { Buffer } from 'node:buffer';
import { createHash, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { expect, test } from 'vitest';
import { formatCheckpoint, parseCheckpoint } from './checkpoint.ts';
import { leafHash } from './merkle.ts';
import { openNote, signNote, type NoteSigner, type NoteVerifier } from './note.ts';
import { formatProof, judgeProof, parseProof } from './proof.ts';

/** Ed25519 by the specification: the key id is over name, newline, 0x01 and the public key. */
const ed25519 = (name: string): NoteSigner & NoteVerifier => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { name, keyId: keyId(name, publicKey), ...algorithm(privateKey, publicKey) };
};
const algorithm = (privateKey: KeyObject, publicKey: KeyObject) => ({
  sign: (text: Uint8Array) => Promise.resolve(sign(null, text, privateKey)),
  verify: (text: Uint8Array, signature: Uint8Array) => verify(null, text, publicKey, signature),
});
const keyId = (name: string, publicKey: KeyObject): Buffer => {
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return createHash('sha256').update(`${name}\n`).update(Buffer.of(1)).update(raw).digest().subarray(0, 4);
};

const TEXT = 'first line\n\nlast line é\n';

test('a note is opened by whoever has one of its keys', async () => {
  const [one, two] = [ed25519('a.example/1'), ed25519('b.example')];
  const note = await signNote(TEXT, [one, two]);
  expect(note).toMatch(/^first line\n\nlast line é\n\n— a\.example\/1 \S+\n— b\.example \S+\n$/u);
  expect(openNote(note, [two])).toEqual({ text: TEXT, by: [two] });
  expect(openNote(note, [ed25519('a.example/1')])).toBe('unsigned');
});

test('what was changed is refused', async () => {
  const key = ed25519('log');
  const note = await signNote(TEXT, [key]);
  expect(openNote(note.replace('last', 'lost'), [key])).toBe('bad-signature');
  for (const wrong of [
    '',
    TEXT,
    note.slice(0, -1),
    `${note}x\n`,
    note.replace('— log ', '- log '),
    note.replace('line', 'l\tne'),
    `${note}— log AAAA\n`,
  ])
    expect(openNote(wrong, [key]), JSON.stringify(wrong)).toBe('malformed');
  await expect(signNote('no newline', [key])).rejects.toThrow(RangeError);
});

test('a checkpoint is text and back', () => {
  const checkpoint = { origin: 'xcrepl/acme', size: 70_000, root: leafHash(Buffer.from('x')) };
  expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint);
  const text = formatCheckpoint(checkpoint);
  for (const wrong of [
    '',
    text.replace('70000', '070000'),
    text.replace('70000', '-1'),
    text.replace('=', ''),
    `\n${text}`,
  ])
    expect(parseCheckpoint(wrong)).toBeNull();
});

test('proofs stand alone, and say what does not hold', async () => {
  const key = ed25519('xcrepl/acme');
  const entry = Buffer.from('{"action":"x"}');
  const head = (size: number, root: Uint8Array) =>
    signNote(formatCheckpoint({ origin: 'xcrepl/acme', size, root }), [key]);
  const inclusion = {
    kind: 'inclusion',
    index: 0,
    entry,
    hashes: [],
    checkpoint: await head(1, leafHash(entry)),
  } as const;
  const text = formatProof(inclusion);
  expect(text.startsWith('c2sp.org/tlog-proof@v1\nextra ')).toBe(true);
  expect(parseProof(text)).toEqual(inclusion);
  expect(judgeProof(text, [key])).toMatchObject({
    holds: true,
    entry: '{"action":"x"}',
    checkpoint: { size: 1 },
  });
  expect(judgeProof(text, [ed25519('xcrepl/acme')])).toMatchObject({
    holds: false,
    why: 'the checkpoint is not signed by a known key',
  });
  expect(judgeProof(text.replace('index 0', 'index 1'), [key])).toMatchObject({ holds: false });
  expect(judgeProof('nothing', [key])).toEqual({ holds: false, why: 'the file is no proof' });
  const same = formatProof({
    kind: 'consistency',
    hashes: [],
    from: inclusion.checkpoint,
    checkpoint: inclusion.checkpoint,
  });
  expect(judgeProof(same, [key])).toMatchObject({ holds: true, first: { size: 1 } });
  const other = formatProof({
    kind: 'consistency',
    hashes: [],
    from: inclusion.checkpoint,
    checkpoint: await head(1, leafHash(Buffer.from('y'))),
  });
  expect(judgeProof(other, [key])).toMatchObject({
    holds: false,
    why: 'the log of 1 entries is not the beginning of that of 1',
  });
});
