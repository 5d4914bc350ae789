import { assert, constantFrom, option, property, uniqueArray } from 'fast-check';
import { expect, test } from 'vitest';
import { judgeResidency, type Flow } from './residency.ts';

const ZONES = ['eu', 'us', 'ap'] as const;
const flow = (change: Partial<Flow> = {}): Flow => ({
  tenant: 'acme',
  target: { region: 'us-east-1', zone: 'us' },
  residency: { zones: ['eu'], redacted: 'zones' },
  rules: undefined,
  ...change,
});
const rule = (column: string, action: 'allow' | 'hash' | 'mask' | 'drop', pii?: 'email' | 'none') => ({
  column,
  action,
  pii,
});

test('data goes only to its zones', () => {
  expect(judgeResidency(flow({ residency: undefined })).allowed).toBe(true);
  expect(judgeResidency(flow({ target: { region: 'eu-west-1', zone: 'eu' } })).allowed).toBe(true);
  expect(judgeResidency(flow())).toMatchObject({
    allowed: false,
    reason: 'us-east-1 is in zone us, and data of acme stays in eu',
  });
});

test('redacted data goes further only where the tenant says so, and only when all of it is redacted', () => {
  const residency = { zones: ['eu'], redacted: 'any' } as const;
  const clean = [
    rule('shop.c.id', 'allow', 'none'),
    rule('shop.c.email', 'hash', 'email'),
    rule('shop.c.note', 'drop'),
  ];
  expect(judgeResidency(flow({ residency, rules: clean })).allowed).toBe(true);
  expect(judgeResidency(flow({ rules: clean })).allowed).toBe(false);
  expect(judgeResidency(flow({ residency })).allowed).toBe(false);
  expect(
    judgeResidency(
      flow({
        residency,
        rules: [...clean, rule('shop.c.name', 'allow'), rule('shop.c.mail', 'allow', 'email')],
      }),
    ),
  ).toMatchObject({ allowed: false, columns: ['shop.c.name', 'shop.c.mail'] });
});

test('whatever is asked, what is allowed outside the zones holds nothing that a rule lets pass unclassified', () => {
  assert(
    property(
      uniqueArray(constantFrom(...ZONES), { minLength: 1 }),
      constantFrom(...ZONES),
      constantFrom('any', 'zones', undefined),
      option(
        uniqueArray(
          constantFrom(
            rule('a', 'allow'),
            rule('b', 'allow', 'none'),
            rule('c', 'allow', 'email'),
            rule('d', 'hash', 'email'),
            rule('e', 'mask'),
            rule('f', 'drop', 'email'),
          ),
        ),
      ),
      (zones, zone, redacted, rules) => {
        const { allowed } = judgeResidency(
          flow({ target: { region: 'r', zone }, residency: { zones, redacted }, rules: rules ?? undefined }),
        );
        if (zones.includes(zone)) expect(allowed).toBe(true);
        else if (allowed) {
          expect(redacted).toBe('any');
          expect(rules!.every((one) => one.action !== 'allow' || one.pii === 'none')).toBe(true);
        }
      },
    ),
    { numRuns: 500 },
  );
});
