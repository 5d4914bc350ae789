import { Buffer } from 'node:buffer';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { splitTextRow } from '../change/copy-text.ts';
import { copyLine, csvRow, CsvRows, ndjsonFields, ndjsonRow } from './row-formats.ts';

const fields = fc.array(fc.option(fc.string({ unit: 'grapheme' })), { minLength: 2, maxLength: 5 });

it('gives back from CSV what was written, however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(fields, { maxLength: 4 }), fc.integer({ min: 1, max: 7 }), (rows, piece) => {
      const text = rows.map(csvRow).join('');
      const reader = new CsvRows();
      const read: (string | null)[][] = [];
      for (let at = 0; at < text.length; at += piece) read.push(...reader.add(text.slice(at, at + piece)));
      expect(read).toEqual(rows);
      expect(reader.isWhole).toBe(true);
    }),
  );
});

it('gives back from COPY’s text and from ndjson what was written', () => {
  fc.assert(
    fc.property(fields, (row) => {
      const line = Buffer.from(copyLine(row));
      expect(splitTextRow(line, 0, line.length - 1).map((field) => field?.toString() ?? null)).toEqual(row);
      const names = row.map((_, at) => `c ${at}"`);
      const types = row.map(() => 'text');
      expect(ndjsonFields(ndjsonRow(names, types)(row), names)).toEqual(row);
    }),
  );
});

it('keeps every digit of a number, and text where JSON has no such number', () => {
  const row = ['9007199254740993', '-1.50', 'NaN', 't', null, '0012', '1e-7'];
  const types = ['bigint', 'numeric(10,2)', 'double precision', 'boolean', 'integer', 'text', 'real'];
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const line = ndjsonRow(names, types)(row);
  expect(line).toBe('{"a":9007199254740993,"b":-1.50,"c":"NaN","d":true,"e":null,"f":"0012","g":1e-7}\n');
  expect(ndjsonFields(line, names)).toEqual(row);
});

it('tells NULL from an empty text, and the end-of-data mark from a value', () => {
  expect(csvRow([null, '', '\\.', 'a"b'])).toBe(',"","\\.","a""b"\n');
});
