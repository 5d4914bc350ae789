import { describe, expect, test } from 'vitest';
import type { NamedKey } from '../finding.ts';
import { judgePlantings, selfTestFinding, type Planted } from './self-test.ts';
import { ROW_HASH } from './table-verdict.ts';

const planted: Planted[] = [
  { kind: 'changed', key: { id: '1' } },
  { kind: 'missing', key: { id: '2' } },
  { kind: 'extra', key: { id: '3' } },
];
const named: NamedKey[] = planted.map((each) => ({ ...each, link: 'l' }));
const hash = (kind: NamedKey['kind']): NamedKey => ({ kind, link: 'l', key: { [ROW_HASH]: kind } });

const findingOf = (...plantings: Parameters<typeof judgePlantings>[0]) =>
  selfTestFinding({ table: 'app.t', links: ['l'], rows: 3, note: null, ...judgePlantings(plantings) });

describe('what was planted', () => {
  test('is found when every row is named, and nothing else', () => {
    expect(findingOf({ planted, named })).toMatchObject({ verdict: 'pass', severity: 'info' });
  });

  test.each([0, 1, 2])('one that is not named fails: %i', (left) => {
    const finding = findingOf({ planted, named: named.filter((_, at) => at !== left) });
    expect(finding).toMatchObject({ verdict: 'fail', code: 'XC-5260' });
    expect(finding.seen).toContain(`found 2 of 3 planted rows; not the ${planted[left]!.kind} one`);
  });

  test('another row of the same kind does not stand for it, and equal rows that are named fail by themselves', () => {
    const other: NamedKey = { kind: 'extra', link: 'l', key: { id: '9' } };
    expect(judgePlantings([{ planted, named: [...named.slice(0, 2), other] }])).toMatchObject({
      verdict: 'fail',
      found: ['changed', 'missing'],
      surplus: 1,
    });
    expect(findingOf({ planted, named: [...named, other] })).toMatchObject({ code: 'XC-5260' });
  });

  test('a row without key that was changed is one missing and one extra', () => {
    const changed: Planted = { kind: 'changed', key: { [ROW_HASH]: null } };
    expect(judgePlantings([{ planted: [changed], named: [hash('missing'), hash('extra')] }]).verdict).toBe(
      'pass',
    );
    expect(judgePlantings([{ planted: [changed], named: [hash('extra')] }]).verdict).toBe('fail');
  });

  test('nothing planted is unknown, never a pass', () => {
    expect(findingOf()).toMatchObject({ verdict: 'unknown', code: 'XC-5261' });
  });
});
