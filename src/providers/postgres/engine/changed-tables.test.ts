import { describe, expect, test } from 'vitest';
import { ChangedTables } from './changed-tables.ts';

describe('what may differ from what was verified', () => {
  test('everything, of a link that was never verified', () => {
    expect(new ChangedTables().mayDiffer('a', 't')).toBe(true);
  });

  test('the tables that changed, of one that was', () => {
    const changed = new ChangedTables(null, new Map([['a', ['t']]]));
    changed.touch('a', 'u');
    expect(['t', 'u', 'v'].map((table) => changed.mayDiffer('a', table))).toEqual([true, true, false]);
    expect(changed.of('a')).toEqual(['t', 'u']);
  });

  test('what is touched while it is verified is for the next verification', () => {
    const changed = new ChangedTables(null, new Map([['a', ['t']]]));
    const next = new ChangedTables(changed);
    next.touch('a', 'u');
    expect(changed.mayDiffer('a', 'u')).toBe(false);
    expect([next.isTrusted('a'), next.mayDiffer('a', 't'), next.mayDiffer('a', 'u')]).toEqual([
      true,
      false,
      true,
    ]);
  });
});
