import { expect, it } from 'vitest';
import { parseCases } from './case-file.ts';
import { isCard, isIban, looksPersonal } from './looks-personal.ts';
import { runCases } from './run-cases.ts';

const FILE = `
schemaVersion: 1
cases:
  - name: replacing in production
    intent: { kind: plan, destroys: [rows] }
    facts: { approval: { required: 1, keys: 2, requester: R, given: [] } }
    expect: { P3: { verdict: FAIL, says: 0 given, branch: missing }, P4: BLOCKED }
  - name: wrongly expected
    intent: { kind: snapshot }
    facts: { integrity: [{ subject: a, sha256: mismatch }] }
    expect: { P7: PASS }
  - name: misspelt
    intent: { kind: plan }
    facts: { aproval: {} }
    expect: { P3: PASS }
`;

const read = (text: string) => parseCases(text, 'f.yaml').map((one) => ({ file: 'f.yaml', read: one }));

it('tells what holds from what does not, and from what is no case', () => {
  const { results, coverage } = runCases(read(FILE));
  expect(results.map(({ name, result }) => `${name}: ${result}`)).toEqual([
    'replacing in production: PASS',
    'wrongly expected: FAIL',
    'misspelt: ERROR',
  ]);
  expect(results[1]!.why[0]).toMatch(/^P7 is FAIL, expected PASS: a/);
  expect(results[2]!.why[0]).toContain('facts.aproval: unknown key; did you mean approval?');
  expect(coverage.find(({ gate }) => gate === 'P3')).toMatchObject({ reached: ['missing'] });
  expect(coverage.find(({ gate }) => gate === 'P1')).toMatchObject({ reached: [] });
});

it.each(['cases: []', 'schemaVersion: 1\ncases: []\nmore: 1', '- 1', ': ['])('refuses %j', (text) => {
  expect(() => parseCases(text, 'f.yaml')).toThrow(expect.objectContaining({ code: 'XC-1404' }));
});

it.each([
  // Registry's own examples (SWIFT IBAN registry), and the same with two digits changed over.
  ['DE89 3704 0044 0532 0130 00', true],
  ['GB82WEST12345698765432', true],
  ['GB82WEST12345698765423', false],
  ['DE89', false],
])('IBAN %s: %s', (value, is) => expect(isIban(value)).toBe(is));

it.each([
  ['4111 1111 1111 1111', true],
  ['5555555555554444', true],
  ['4111 1111 1111 1112', false],
  ['1234567890', false],
])('card %s: %s', (value, is) => expect(isCard(value)).toBe(is));

it.each([
  ['a', ['x@example.org', null, ' y.z+w@mail.example.co.uk '], 'email'],
  ['a', ['+49 30 901820', '(030) 90 18 20', '030/901820'], 'phone'],
  ['iban', ['DE89370400440532013000'], 'id'],
  ['a', ['4111111111111111'], 'id'],
  ['lastName', ['Q', 'R'], 'name'],
  ['billing_street', [], 'address'],
  ['a', ['2026-01-01', '2026-01-02 10:00:00'], undefined],
  ['total', ['12345678', '87654321'], undefined],
  ['a', ['x@example.org', 'no', 'no', 'no'], undefined],
  ['email_verified_at', [], 'email'],
  ['filename', ['a.txt'], undefined],
])('%s with %j looks like %s', (name, values, pii) => {
  expect(looksPersonal(name, values)?.pii).toBe(pii);
});
