import { expect, test } from 'vitest';
import { RecordBytes } from './record-bytes.ts';

/** As SELECT record_send(ROW('ä'::text, NULL::text, ''::text)) gives it under client_encoding UTF8. */
const SENT = '000000030000001900000002c3a400000019ffffffff0000001900000000';

test('a row is framed as the server sends it', () => {
  expect(new RecordBytes().of([Buffer.from('ä'), null, Buffer.alloc(0)]).toString('hex')).toBe(SENT);
  expect(new RecordBytes('ä').of([null, Buffer.alloc(0)]).toString('hex')).toBe(SENT);
});

test('memory is used again: nothing of a longer row stays', () => {
  const bytes = new RecordBytes('ä');
  expect(bytes.of([Buffer.alloc(10_000)]).length).toBe(4 + 10 + 8 + 10_000);
  expect(bytes.of([null, Buffer.alloc(0)]).toString('hex')).toBe(SENT);
});
