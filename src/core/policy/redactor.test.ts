import { Buffer } from 'node:buffer';
import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ColumnAction } from './column-action.ts';
import { compileRedactors, redactField } from './redactor.ts';

const KEY = Buffer.alloc(32, 7);
const ALLOW: ColumnAction = { kind: 'allow' };
const DROP: ColumnAction = { kind: 'drop' };
const HASH: ColumnAction = { kind: 'hash', key: KEY, length: 40 };
const MASK: ColumnAction = { kind: 'mask', text: Buffer.from('***') };
const expectedHash = (text: string): string =>
  createHmac('sha256', KEY).update(text).digest('hex').slice(0, 40);

const row = Buffer.from('--zoë@example.org--');
const start = 2;
const end = row.length - 2;

describe('redactField', () => {
  test('allow is a view of the same memory, not a copy', () => {
    const field = redactField(ALLOW, row, start, end);
    expect(field?.toString()).toBe('zoë@example.org');
    expect(field?.buffer).toBe(row.buffer);
  });

  test('drop leaves nothing, mask and hash leave nothing of the value', () => {
    expect(redactField(DROP, row, start, end)).toBeNull();
    expect(redactField(MASK, row, start, end)?.toString()).toBe('***');
    expect(redactField(HASH, row, start, end)?.toString()).toBe(expectedHash('zoë@example.org'));
  });
});

describe('compiled redactors', () => {
  test('write each field where told, and nowhere else', () => {
    const [allow, drop, hash, mask] = compileRedactors([ALLOW, DROP, HASH, MASK]);
    const target = Buffer.alloc(80, '.');
    let at = 1;
    for (const redactor of [allow, drop, hash, mask]) {
      const written = redactor!.write(row, start, end, target, at);
      expect(written).toBe(redactor!.fixedLength === -1 ? end - start : redactor!.fixedLength);
      at += written;
    }
    expect(target.toString('utf8', 0, at + 1)).toBe(`.zoë@example.org${expectedHash('zoë@example.org')}***.`);
  });

  test('two relations under one key hash alike, two keys differ', () => {
    const other = redactField({ kind: 'hash', key: Buffer.alloc(32, 8), length: 40 }, row, start, end);
    const target = Buffer.alloc(40);
    compileRedactors([HASH])[0]!.write(row, start, end, target, 0);
    expect(target.equals(redactField(HASH, row, start, end)!)).toBe(true);
    expect(target.equals(other!)).toBe(false);
  });
});
