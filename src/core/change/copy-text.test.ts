import { describe, expect, test } from 'vitest';
import { fieldRedactor } from '../policy/redactor.ts';
import { joinTextRow, splitTextRow } from './copy-text.ts';

const allow = fieldRedactor({ kind: 'allow' });
const fields = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ name: `c${index}`, redactor: allow }));

describe('COPY text rows', () => {
  test.each([
    ['plain\ttwo\n', ['plain', 'two']],
    ['\\N\t\n', [null, '']],
    ['a\\tb\tc\\nd\\\\e\n', ['a\tb', 'c\nd\\e']],
    ['\\\\N\t\\\\\n', ['\\N', '\\']],
    ['tab at the end\\\t\n', ['tab at the end\t']],
    ['\\x41\\102\t\\q\n', ['AB', 'q']],
    ['größe ☃\t😀\n', ['größe ☃', '😀']],
  ])('%o is taken apart', (text, expected) => {
    const bytes = Buffer.from(text);
    expect(splitTextRow(bytes, 0, bytes.length - 1).map((field) => field?.toString() ?? null)).toEqual(
      expected,
    );
  });

  test('what was taken apart is put together again as COPY writes it', () => {
    const text = 'a\\tb\t\\N\tc\\nd\\\\e\\r\t\t\\\\N\t\\b\\f\\v\tgröße 😀\n';
    const bytes = Buffer.from(text);
    expect(joinTextRow(splitTextRow(bytes, 0, bytes.length - 1), fields(7)).toString()).toBe(text);
  });

  test('dropped columns leave, masked ones are masked, and NULL stays NULL', () => {
    const mask = fieldRedactor({ kind: 'mask', text: Buffer.from('***') });
    const plan = [
      { name: 'a', redactor: null },
      { name: 'b', redactor: mask },
      { name: 'c', redactor: mask },
    ];
    const bytes = Buffer.from('secret\talso\t\\N\n');
    expect(joinTextRow(splitTextRow(bytes, 0, bytes.length - 1), plan).toString()).toBe('***\t\\N\n');
  });
});
