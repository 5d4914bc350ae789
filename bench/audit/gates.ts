/** All gates over the facts of a plan of ten links. */

import type { Facts, Intent } from '../../src/core/policy/gates/gate.ts';
import { GATES, judgeAll } from '../../src/core/policy/gates/table.ts';
import { cpuRate } from './cpu-rate.ts';

const intent: Intent = {
  kind: 'plan',
  subject: 'pl_1',
  environment: 'production',
  mode: 'live',
  digest: 'sha256:aa',
  destroys: ['replaces rows on eu'],
  nowMs: 1_000,
};
const tenants = Array.from({ length: 10 }, (_, at) => `tenant-${at}`);
const facts: Facts = {
  personal: tenants.map((tenant) => ({ tenant, ruled: true, unnamed: [], bare: [], manifest: null })),
  documents: [{ name: 'tenant manifest acme', signedBy: 'alice', problem: null }],
  approval: {
    required: 2,
    keys: 3,
    requester: 'R',
    given: ['A', 'B'].map((keyId) => ({
      keyId,
      name: keyId,
      digest: 'sha256:aa',
      approvedAtMs: 900,
      expiresAtMs: 2_000,
    })),
  },
  observability: { longRunning: true, servedAt: 'http://127.0.0.1:1' },
  isolation: tenants.map((tenant) => ({ tenant, by: 'column', owns: tenant })),
  budgets: tenants.map((tenant) => ({ tenant, from: 'us', to: 'eu', bytesPerSecond: 1 })),
  integrity: tenants.map((subject) => ({ subject, sha256: 'planned' })),
  flows: tenants.map((tenant) => ({
    tenant,
    target: { region: 'eu-1', zone: 'eu' },
    residency: { zones: ['eu'], redacted: 'zones' },
    rules: undefined,
  })),
};

const ROUND = 1_000;

/** Judgements a second of CPU: one gate over one intent is one. */
export const gatesRate = (seconds: number): number =>
  cpuRate(seconds, () => {
    for (let at = 0; at < ROUND; at++) judgeAll(intent, facts);
    return ROUND * GATES.length;
  });
