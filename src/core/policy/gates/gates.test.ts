/** Every gate, every branch; and over random facts no gate passes what it could not judge. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { refuseApproval, type Approval } from './approval.ts';
import type { Facts, GateId, Intent } from './gate.ts';
import { GATES, judgeAll } from './table.ts';

const intent = (more: Partial<Intent> = {}): Intent => ({
  kind: 'plan',
  subject: 'pl_1',
  environment: 'production',
  mode: 'live',
  digest: 'sha256:aa',
  destroys: [],
  nowMs: 1_000_000,
  ...more,
});

const alice: Approval = {
  keyId: 'A',
  name: 'alice',
  digest: 'sha256:aa',
  approvedAtMs: 900_000,
  expiresAtMs: 2_000_000,
};
const bob: Approval = { ...alice, keyId: 'B', name: 'bob' };

const bare = { tenant: 'acme', ruled: true, unnamed: [], bare: ['shop.customers.email'], manifest: null };
const signed = { scopes: ['manifest', 'pii:replicate'], approved: true };
const asked = { required: 2, keys: 3, requester: 'R' };
const destroys = { destroys: ['replaces rows on eu'] };
const budget = { tenant: 'acme', from: 'us', to: 'eu' };
const flow = { tenant: 'acme', target: { region: 'ap', zone: 'ap' }, rules: undefined };

/** Gate, branch, verdict, and what leads there. */
const CASES: readonly [GateId, string, string, Facts, Partial<Intent>?][] = [
  ['P1', 'no-rules', 'PASS', { personal: [{ ...bare, ruled: false, bare: [] }] }],
  ['P1', 'named', 'PASS', { personal: [{ ...bare, bare: [] }] }],
  ['P1', 'named', 'PASS', { personal: [{ ...bare, manifest: signed }] }],
  ['P1', 'unnamed-column', 'FAIL', { personal: [{ ...bare, bare: [], unnamed: ['shop.customers.x'] }] }],
  ['P1', 'allow-without-manifest', 'FAIL', { personal: [bare] }],
  ['P1', 'allow-without-scope', 'FAIL', { personal: [{ ...bare, manifest: { ...signed, scopes: [] } }] }],
  [
    'P1',
    'allow-without-approval',
    'FAIL',
    { personal: [{ ...bare, manifest: { ...signed, approved: false } }] },
  ],
  ['P2', 'no-documents', 'PASS', { documents: [] }],
  ['P2', 'signed', 'PASS', { documents: [{ name: 'm', signedBy: 'alice', problem: null }] }],
  ['P2', 'unsigned', 'FAIL', { documents: [{ name: 'm', signedBy: null, problem: 'no signature' }] }],
  [
    'P2',
    'unsigned-simulated',
    'BLOCKED',
    { documents: [{ name: 'm', signedBy: null, problem: null }] },
    { mode: 'simulation' },
  ],
  ['P3', 'not-needed', 'PASS', {}],
  ['P3', 'not-production', 'PASS', {}, { environment: 'staging', ...destroys }],
  ['P3', 'unknown', 'BLOCKED', {}, { kind: 'promotion' }],
  ['P3', 'not-configured', 'FAIL', { approval: { ...asked, required: null, given: [alice, bob] } }, destroys],
  ['P3', 'missing', 'FAIL', { approval: { ...asked, given: [] } }, { kind: 'demotion' }],
  ['P3', 'missing', 'FAIL', { approval: { ...asked, given: [alice, alice] } }, destroys],
  ['P3', 'missing', 'FAIL', { approval: { ...asked, requester: 'B', given: [alice, bob] } }, destroys],
  [
    'P3',
    'requester-unknown',
    'FAIL',
    { approval: { ...asked, requester: null, given: [alice, bob] } },
    destroys,
  ],
  ['P3', 'approved', 'PASS', { approval: { ...asked, given: [alice, bob] } }, { kind: 'conflict-override' }],
  ['P4', 'ends', 'PASS', { observability: { longRunning: false, servedAt: null } }],
  ['P4', 'served', 'PASS', { observability: { longRunning: true, servedAt: 'http://[::1]:1' } }],
  ['P4', 'not-served', 'FAIL', { observability: { longRunning: true, servedAt: null } }],
  ['P5', 'nothing', 'PASS', { isolation: [] }],
  [
    'P5',
    'apart',
    'PASS',
    {
      isolation: [
        { tenant: 'a', by: 'schema', owns: 'a' },
        { tenant: 'b', by: 'schema', owns: 'b' },
      ],
    },
  ],
  [
    'P5',
    'shared',
    'FAIL',
    {
      isolation: [
        { tenant: 'a', by: 'schema', owns: 'a' },
        { tenant: 'b', by: 'schema', owns: 'a' },
      ],
    },
  ],
  [
    'P5',
    'shared',
    'FAIL',
    {
      isolation: [
        { tenant: 'a', by: 'schema', owns: 's', tables: ['us/app s.t'] },
        { tenant: 'b', by: 'column', owns: 'tenant b', column: 'tenant', tables: ['us/app s.t'] },
      ],
    },
  ],
  [
    'P5',
    'undecided',
    'BLOCKED',
    {
      isolation: [
        { tenant: 'a', by: 'column', owns: 'org a', column: 'org', tables: ['us/app s.t'] },
        { tenant: 'b', by: 'column', owns: 'tenant b', column: 'tenant', tables: ['us/app s.t'] },
      ],
    },
  ],
  [
    'P5',
    'apart',
    'PASS',
    {
      isolation: [
        { tenant: 'a', by: 'schema', owns: 's', tables: ['us/app s.t'] },
        { tenant: 'b', by: 'schema', owns: 's', tables: ['us/app2 s.t', 'us/app2 s.u'] },
      ].map((fact, at) => ({ ...fact, owns: `${fact.owns}${at}` })) as never,
    },
  ],
  ['P5', 'foreign', 'FAIL', { isolation: [{ tenant: 'a', by: 'prefix', owns: 'a/', foreign: 1 }] }],
  ['P6', 'none', 'PASS', { budgets: [budget] }],
  ['P6', 'within', 'PASS', { budgets: [{ ...budget, bytesPerDay: 10, usedToday: 9 }] }],
  ['P6', 'day-unmeasured', 'BLOCKED', { budgets: [{ ...budget, bytesPerDay: 10 }] }],
  ['P6', 'day-used-up', 'BLOCKED', { budgets: [{ ...budget, bytesPerDay: 10, usedToday: 10 }] }],
  ['P6', 'too-many-jobs', 'FAIL', { budgets: [{ ...budget, concurrentJobs: 1, jobs: 2 }] }],
  ['P6', 'too-slow', 'FAIL', { budgets: [{ ...budget, maxLatencyMs: 5, latencyMs: 6 }] }],
  ['P7', 'nothing', 'PASS', { integrity: [] }],
  ['P7', 'verified', 'PASS', { integrity: [{ subject: 'x', sha256: 'verified' }] }, { kind: 'snapshot' }],
  ['P7', 'planned', 'PASS', { integrity: [{ subject: 'x', sha256: 'planned' }] }],
  [
    'P7',
    'unverified',
    'BLOCKED',
    { integrity: [{ subject: 'x', sha256: 'planned' }] },
    { kind: 'promotion' },
  ],
  ['P7', 'mismatch', 'FAIL', { integrity: [{ subject: 'x', sha256: 'mismatch' }] }],
  ['residency', 'within', 'PASS', { flows: [{ ...flow, residency: undefined }] }],
  ['residency', 'refused', 'FAIL', { flows: [{ ...flow, residency: { zones: ['eu'], redacted: 'zones' } }] }],
];

describe('each gate', () => {
  it.each(CASES)('%s takes the branch %s: %s', (id, branch, verdict, facts, more) => {
    const gate = GATES.find((one) => one.id === id)!;
    expect(gate.decide(intent(more), facts)).toMatchObject({ branch, verdict });
  });

  it('has no branch that no case takes', () => {
    const taken = new Set(CASES.map(([id, branch]) => `${id} ${branch}`));
    const open = GATES.flatMap(({ id, branches }) => branches.map((branch) => `${id} ${branch}`)).filter(
      (one) => !taken.has(one) && !one.endsWith(' unknown'),
    );
    expect(open).toEqual([]);
  });

  it('is BLOCKED, never PASS, where nothing is known', () => {
    const rows = judgeAll(intent({ kind: 'promotion' }), {});
    expect(rows.map(({ verdict }) => verdict)).toEqual(rows.map(() => 'BLOCKED'));
    expect(rows.map(({ gate }) => gate)).toEqual(GATES.map(({ id }) => id));
  });

  it('says where a verdict is one of a simulation', () => {
    expect(judgeAll(intent({ mode: 'simulation' }), {}).every(({ simulated }) => simulated)).toBe(true);
  });
});

describe('an approval', () => {
  const wanted = { ...intent(), requester: 'R' };
  it.each([
    ['XC-3032', { name: null }],
    ['XC-3033', { digest: 'sha256:bb' }],
    ['XC-3034', { keyId: 'R' }],
    ['XC-3035', { expiresAtMs: 1_000_000 }],
    ['XC-3036', { approvedAtMs: 1_000_000 + 301_000 }],
  ])('is refused with %s', (code, more) => {
    expect(refuseApproval({ ...alice, ...more }, wanted)).toMatchObject({ code });
  });

  it('counts otherwise, also from a clock that is a little ahead', () => {
    expect(refuseApproval({ ...alice, approvedAtMs: 1_200_000 }, wanted)).toBeNull();
  });
});

describe('over random facts', () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const approvals = fc.array(
    fc.record({
      keyId: fc.constantFrom('A', 'B', 'C', 'R'),
      name: fc.option(name),
      digest: fc.constantFrom('sha256:aa', 'sha256:bb'),
      approvedAtMs: fc.integer({ min: 0, max: 3_000_000 }),
      expiresAtMs: fc.integer({ min: 0, max: 3_000_000 }),
    }),
    { maxLength: 6 },
  );

  it('nothing that destroys passes without as many good approvals by different keys', () => {
    fc.assert(
      fc.property(approvals, fc.integer({ min: 1, max: 3 }), (given, required) => {
        const good = new Set(
          given
            .filter(
              (one) =>
                one.name !== null &&
                one.keyId !== 'R' &&
                one.digest === 'sha256:aa' &&
                one.approvedAtMs <= 1_300_000 &&
                one.expiresAtMs > 1_000_000,
            )
            .map(({ keyId }) => keyId),
        );
        const rows = judgeAll(intent(destroys), { approval: { required, keys: 3, requester: 'R', given } });
        expect(rows[2]!.verdict).toBe(good.size >= required ? 'PASS' : 'FAIL');
      }),
    );
  });

  it('no flow out of its zones passes but redacted', () => {
    const zone = fc.constantFrom('eu', 'us', 'ap');
    const flows = fc.array(
      fc.record({
        tenant: name,
        target: fc.record({ region: name, zone }),
        residency: fc.option(
          fc.record({
            zones: fc.uniqueArray(zone, { minLength: 1 }),
            redacted: fc.constantFrom('any', 'zones'),
          }),
          { nil: undefined },
        ),
        rules: fc.option(
          fc.array(
            fc.record({
              column: name,
              action: fc.constantFrom('allow', 'hash', 'mask', 'drop'),
              pii: fc.constantFrom('email', 'none', undefined),
            }),
          ),
          { nil: undefined },
        ),
      }),
    );
    fc.assert(
      fc.property(flows, (all) => {
        const leaks = all.some(
          ({ residency, target, rules }) =>
            residency !== undefined &&
            !residency.zones.includes(target.zone) &&
            (residency.redacted !== 'any' ||
              rules === undefined ||
              rules.some(({ action, pii }) => action === 'allow' && pii !== 'none')),
        );
        expect(judgeAll(intent(), { flows: all }).at(-1)!.verdict).toBe(leaks ? 'FAIL' : 'PASS');
      }),
    );
  });
});
