import { Buffer } from 'node:buffer';
import { expect, test } from 'vitest';
import { ArrayText } from './array-text.ts';

const write = (text: ArrayText, elements: readonly (string | null)[]): string => {
  text.begin();
  for (const element of elements) {
    const bytes = Buffer.from(`<${element}>`);
    if (element === null) text.null();
    else text.element(bytes, 1, bytes.length - 1);
  }
  return text.end().toString();
};

// Expected texts as SELECT ARRAY[…]::text[]::text gives them.
test.each([
  [[], '{}'],
  [['a', null, 'b'], '{a,NULL,b}'],
  [['', 'NULL', 'null', 'nulls'], '{"","NULL","null",nulls}'],
  [['a b', 'tab\t', '\u000b', '\u00a0', 'ä€😀'], '{"a b","tab\t","\u000b",\u00a0,ä€😀}'],
  [['q"q', 'b\\s', 'a,b', '{', '}'], '{"q\\"q","b\\\\s","a,b","{","}"}'],
])('array of %j', (elements, expected) => {
  expect(write(new ArrayText(), elements)).toBe(expected);
});

test('memory is used again: nothing of a longer row stays, and the prefix does', () => {
  const text = new ArrayText('seed');
  const long = '"'.repeat(10_000);
  expect(write(text, [long])).toBe(`seed{"${'\\"'.repeat(10_000)}"}`);
  expect(write(text, ['a', null])).toBe('seed{a,NULL}');
});
