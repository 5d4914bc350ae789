import { describe, expect, it } from 'vitest';
import type { Finding } from '../validation/finding.ts';
import { decide, precheckBlockText, precheckMarkdown, precheckReport } from './precheck.ts';

const row = (verdict: Finding['verdict'], severity: Finding['severity'], check = 'c'): Finding => ({
  check,
  subject: 's|t',
  verdict,
  severity,
  seen: 'two\nlines',
  remedy: 'DO IT;',
  code: 'XC-5310',
});

const report = (checks: readonly Finding[], mode: 'live' | 'simulation' = 'live') =>
  precheckReport({
    mode,
    missing: mode === 'simulation' ? ['VAULT_ADDR'] : [],
    at: '2026-01-01T00:00:00.000Z',
    durationMs: 12,
    version: '1',
    commit: 'abc',
    config: { path: null, digest: 'sha256:x' },
    environment: [
      { name: 'A', set: true, shown: null },
      { name: 'B', set: false, shown: null },
    ],
    checks,
  });

describe('decide', () => {
  it.each<[Finding[], 'live' | 'simulation', string]>([
    [[], 'live', 'PROCEED'],
    [[], 'simulation', 'PROCEED_SIMULATION'],
    [[row('pass', 'block'), row('fail', 'warn'), row('unknown', 'info')], 'live', 'PROCEED'],
    [[row('fail', 'block')], 'live', 'BLOCK'],
    [[row('unknown', 'block')], 'live', 'BLOCK'],
    [[row('fail', 'block')], 'simulation', 'BLOCK'],
  ])('%# is decided', (checks, mode, expected) => {
    expect(decide(checks, mode)).toBe(expected);
  });
});

describe('report', () => {
  const checks = [
    row('pass', 'info', 'p'),
    row('fail', 'warn', 'w'),
    row('fail', 'block', 'b'),
    row('unknown', 'block', 'u'),
  ];

  it('puts the worst first and counts', () => {
    const made = report(checks);
    expect(made.checks.map((one) => one.check)).toEqual(['b', 'u', 'w', 'p']);
    expect(made.counts).toEqual({ pass: 1, fail: 2, unknown: 1, blocking: 2 });
  });

  it('makes a table row of each check whatever it holds', () => {
    const text = precheckMarkdown(report(checks));
    expect(text).toContain('# Precheck: BLOCK');
    expect(text).toContain('| b |  | s\\|t | fail | block | two lines | `DO IT;` | XC-5310 |');
    expect(text).toContain('| A | set |');
    expect(text).toContain('| B | not set |');
    expect(precheckMarkdown(report([], 'simulation'))).toContain('simulation, without VAULT_ADDR');
  });

  it('lists in the block file what blocks, and only that', () => {
    const text = precheckBlockText(report(checks));
    expect(text.split('\n').filter((line) => line.startsWith('XC-5310')).length).toBe(2);
    expect(text).toContain('remedy: DO IT;');
  });
});
