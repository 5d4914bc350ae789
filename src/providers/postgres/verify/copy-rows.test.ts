import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { readCopyRows } from './copy-rows.ts';

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};
const row = (...fields: (string | null)[]): Buffer =>
  Buffer.concat([
    int16(fields.length),
    ...fields.flatMap((field) =>
      field === null ? [int32(-1)] : [int32(Buffer.byteLength(field)), Buffer.from(field)],
    ),
  ]);
const HEADER = Buffer.concat([
  Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'),
  int32(0),
  int32(3),
  Buffer.from('ext'),
]);
const ROWS = [
  ['1', 'zoë', null],
  ['2', '', 'x'.repeat(50)],
  [null, null, null],
];
const COPY = Buffer.concat([HEADER, ...ROWS.map((fields) => row(...fields)), int16(-1)]);

const read = async (parts: readonly Buffer[]): Promise<(string | null)[][]> => {
  const rows: (string | null)[][] = [];
  await readCopyRows(
    (async function* () {
      yield* parts;
    })(),
    ({ bytes, starts, ends }) => {
      rows.push(starts.map((start, i) => (ends[i] === -1 ? null : bytes.toString('utf8', start, ends[i]))));
    },
  );
  return rows;
};

describe('rows of a binary COPY', () => {
  test('are the same wherever the network cuts them', async () => {
    for (let cut = 0; cut <= COPY.length; cut++)
      expect(await read([COPY.subarray(0, cut), COPY.subarray(cut)])).toEqual(ROWS);
    expect(await read(Array.from(COPY, (byte) => Buffer.from([byte])))).toEqual(ROWS);
  });

  test('an end before the trailer is an error, not the end of the table', async () => {
    for (const length of [0, 10, HEADER.length, COPY.length - 2, COPY.length - 1])
      await expect(read([COPY.subarray(0, length)])).rejects.toMatchObject({ code: 'XC-6001' });
  });
});
