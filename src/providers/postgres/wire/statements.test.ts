import { expect, test } from 'vitest';
import { MessageWriter } from './messages.ts';
import { Statements } from './statements.ts';

/** Types of the messages that were written: P a Parse, C a Close, Q a query. */
const written = (writer: MessageWriter): string => {
  const bytes = writer.take();
  let types = '';
  for (let at = 0; at < bytes.length; at += 1 + bytes.readUInt32BE(at + 1))
    types += String.fromCharCode(bytes[at]!);
  return types;
};

test('a statement is parsed once, also among those of a thousand tables', () => {
  const [statements, writer] = [new Statements(), new MessageWriter()];
  const all = Array.from({ length: 4_000 }, (_, at) => `UPDATE t${at}`);
  const names = all.map((sql) => statements.prepare(writer, sql));
  expect(written(writer)).toBe('P'.repeat(4_000));
  expect(all.map((sql) => statements.prepare(writer, sql))).toEqual(names);
  expect(written(writer)).toBe('');
  // One more, and the one that was not used for longest goes.
  statements.prepare(writer, 'SELECT');
  expect(written(writer)).toBe('PC');
  statements.prepare(writer, all[1]!);
  expect(written(writer)).toBe('');
  statements.prepare(writer, all[0]!);
  expect(written(writer)).toBe('PC');
  statements.forget(writer);
  expect(statements.prepare(writer, all[1]!)).not.toBe(names[1]);
  expect(written(writer)).toBe('QP');
});

const long = (letter: string): string => letter.repeat(300_000);

test('long statements are fewer, and one that is too long stays alone', () => {
  const [statements, writer] = [new Statements(), new MessageWriter()];
  for (const letter of ['a', 'b', 'c']) statements.prepare(writer, long(letter));
  expect(written(writer)).toBe('PPP');
  statements.prepare(writer, long('d'));
  expect(written(writer)).toBe('PC');
  const name = statements.prepare(writer, 'e'.repeat(2_000_000));
  expect(written(writer)).toBe('PCCC');
  expect(statements.prepare(writer, 'e'.repeat(2_000_000))).toBe(name);
});
