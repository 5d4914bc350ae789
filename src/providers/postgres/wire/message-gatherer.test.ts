import { expect, test, vi } from 'vitest';
import { MessageGatherer, messageEnd } from './message-gatherer.ts';

const message = (type: string, body: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};

/** Bodies of the messages, read as the connection does. */
const readAll = (chunks: readonly Buffer[]): string[] => {
  const gatherer = new MessageGatherer();
  const bodies: string[] = [];
  const read = (bytes: Buffer, at: number): number => {
    for (let end = messageEnd(bytes, at); end <= bytes.length; end = messageEnd(bytes, at)) {
      bodies.push(bytes.toString('latin1', at + 5, end));
      at = end;
    }
    return at;
  };
  for (const chunk of chunks) {
    const joined = gatherer.join(chunk);
    if (joined) expect(read(joined, 0)).toBe(joined.length);
    gatherer.keep(chunk, read(chunk, gatherer.rest));
  }
  return bodies;
};

test('messages are whole wherever the network cuts them', () => {
  const bodies = ['', 'x', 'a longer one', '', 'y'.repeat(40)];
  const bytes = Buffer.concat(bodies.map((body) => message('D', Buffer.from(body))));
  for (let first = 0; first <= bytes.length; first++)
    for (let second = first; second <= bytes.length; second += 7)
      expect(
        readAll([bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]),
      ).toEqual(bodies);
  expect(readAll(Array.from(bytes, (byte) => Buffer.from([byte])))).toEqual(bodies);
});

test('a large value is joined once, not at every piece', () => {
  const concat = vi.spyOn(Buffer, 'concat');
  try {
    const bytes = message('d', Buffer.alloc(2 ** 20, 'v'));
    const pieces = Array.from({ length: Math.ceil(bytes.length / 1000) }, (_, index) =>
      bytes.subarray(index * 1000, (index + 1) * 1000),
    );
    concat.mockClear();
    expect(readAll(pieces).map((body) => body.length)).toEqual([2 ** 20]);
    expect(concat).toHaveBeenCalledOnce();
  } finally {
    concat.mockRestore();
  }
});

test.each([0, 3, 0x4000_0000, 0xffff_ffff])('a length of %i is no message', (length) => {
  const bytes = Buffer.from([0x44, 0, 0, 0, 0]);
  bytes.writeUInt32BE(length, 1);
  expect(() => messageEnd(bytes, 0)).toThrowError(expect.objectContaining({ code: 'XC-5201' }));
});
