import { setImmediate as settle } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { PartialUploads, UploadedPart } from './object-store.ts';
import { written, writtenInParts } from './written.ts';

const MIB = 1024 * 1024;

async function* zeros(bytes: number): AsyncGenerator<Uint8Array> {
  for (let left = bytes; left > 0; left -= MIB) yield new Uint8Array(Math.min(MIB, left));
}

/** Uploads whose parts end when the test says so. */
const watched = () => {
  const waiting: { number: number; bytes: number; end: (error?: Error) => void }[] = [];
  const log: string[] = [];
  const uploads: PartialUploads = {
    smallestPartBytes: 1,
    largestPartBytes: 1,
    mostParts: 1,
    begin: () => Promise.resolve('u'),
    put: async (_key, _upload, number, { byteLength: bytes }) => {
      const ended = Promise.withResolvers<void>();
      waiting.push({ number, bytes, end: (error) => (error ? ended.reject(error) : ended.resolve()) });
      await ended.promise.finally(() => log.push(`part ${number}`));
      return { number, bytes, tag: `t${number}` } satisfies UploadedPart;
    },
    list: () => Promise.resolve(null),
    finish: (key, _upload, parts, { sha256 = null } = {}) => {
      log.push(`joined ${parts.map(({ number }) => number).join()}`);
      const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
      return Promise.resolve({ key, bytes, version: '1', modifiedAtMs: 0, sha256, metadata: {} });
    },
    abandon: () => Promise.resolve(void log.push('abandoned')),
  };
  return { uploads, waiting, log };
};

const write = async (uploads: PartialUploads, body: AsyncIterable<Uint8Array>) =>
  await written(
    {
      place: 'test:',
      small: () => Promise.reject(new Error('it is not small')),
      large: async (pieces, sha256) => await writtenInParts(uploads, 'k', pieces, {}, sha256),
    },
    'k',
    body,
    {},
  );

it('has no more parts under way than four, whatever the length', async () => {
  const { uploads, waiting, log } = watched();
  const done = write(uploads, zeros(47 * MIB));
  let most = 0;
  let ended = 0;
  while (ended < 6) {
    await settle();
    most = Math.max(most, waiting.length);
    // The newest first: the order of arrival is nobody's promise.
    const next = waiting.pop();
    if (!next) continue;
    next.end();
    ended += 1;
  }
  expect((await done).bytes).toBe(47 * MIB);
  expect(most).toBe(4);
  expect(log.at(-1)).toBe('joined 1,2,3,4,5,6');
});

it('abandons an upload only when none of its parts is on its way any more', async () => {
  const { uploads, waiting, log } = watched();
  const done = write(uploads, zeros(47 * MIB));
  const failed = done.then(() => 'written', String);
  await settle();
  waiting[1]?.end(new Error('refused'));
  await settle();
  expect(log).toEqual(['part 2']);
  for (const { end } of waiting) end();
  expect(await failed).toBe('Error: refused');
  expect(log.at(-1)).toBe('abandoned');
  expect(log.filter((line) => line.startsWith('part')).length).toBe(waiting.length);
});
