import { describe, expect, test } from 'vitest';
import type { UnitResult } from './compare-unit.ts';
import { findingOf, tableVerdict, worst, type UnitOutcome } from './table-verdict.ts';

const result = (more: Partial<UnitResult> = {}): UnitResult => ({
  checkedChunks: 1,
  chunks: 1,
  sourceRows: 10,
  targetRows: 10,
  differences: [],
  unsettled: [],
  rounds: 0,
  complete: true,
  ...more,
});
const outcome = (unit: UnitResult): UnitOutcome => ({
  result: unit,
  linksOf: new Map([
    ['acme', ['shop:acme:a:b']],
    ['umbra', ['shop:umbra:a:b', 'all:umbra:a:b']],
  ]),
  keyColumns: ['tenant_id', 'id'],
  method: 'in-server',
  hashing: 'portable',
});
const difference = (tenant: string, id: string) => ({
  kind: 'changed' as const,
  key: [tenant, id],
  tenant,
  source: '1:1',
  target: '1:2',
});
const verdictOf = (unit: UnitResult, named = 20) => tableVerdict('shop.orders', [outcome(unit)], 1, named);

describe('verdict of a table', () => {
  test('a difference fails the link of its tenant, and the table; the others pass', () => {
    const verdict = verdictOf(result({ differences: [difference('umbra', '7')] }));
    expect(verdict.verdict).toBe('fail');
    expect(verdict.links.map((link) => link.verdict)).toEqual(['pass', 'fail', 'fail']);
    expect(verdict.keys).toEqual([
      { link: 'shop:umbra:a:b', kind: 'changed', key: { tenant_id: 'umbra', id: '7' } },
    ]);
    expect(findingOf(verdict)).toMatchObject({ verdict: 'fail', severity: 'block', code: 'XC-5101' });
  });

  test('what kept changing is unknown, not pass', () => {
    const verdict = verdictOf(result({ unsettled: [difference('acme', '1')], rounds: 5 }));
    expect(verdict.verdict).toBe('unknown');
    expect(verdict.links.map((link) => link.verdict)).toEqual(['unknown', 'pass', 'pass']);
    expect(findingOf(verdict)).toMatchObject({ verdict: 'unknown', code: 'XC-5102' });
  });

  test('after an early end the other links are unknown', () => {
    const verdict = verdictOf(result({ differences: [difference('acme', '1')], complete: false }));
    expect(verdict.links.map((link) => link.verdict)).toEqual(['fail', 'unknown', 'unknown']);
    expect(verdict.atLeast).toBe(true);
    expect(findingOf(verdict).seen).toContain('at least 1 rows differ');
  });

  test('keys are named up to the limit, and all are counted', () => {
    const differences = Array.from({ length: 30 }, (_, i) => difference('acme', String(i)));
    const verdict = verdictOf(result({ differences }), 5);
    expect(verdict.keys).toHaveLength(5);
    expect(verdict.differing).toBe(30);
    expect(findingOf(verdict).seen).toBe('30 rows differ: 5 changed among those named');
  });

  test('nothing looked at is unknown', () => {
    expect(verdictOf(result({ checkedChunks: 0 })).verdict).toBe('unknown');
    expect(worst([])).toBe('unknown');
    expect(worst(['pass', 'unknown', 'fail'])).toBe('fail');
  });
});
