/** Runs declared cases against the gates, and counts which gates and branches they reach. */

import type { GateId } from './gates/gate.ts';
import { GATES } from './gates/table.ts';
import type { PolicyCase, ReadCase } from './case-file.ts';

export interface CaseResult {
  readonly file: string;
  readonly name: string;
  readonly result: 'PASS' | 'FAIL' | 'ERROR';
  /** What differs, or what is wrong with the case. */
  readonly why: readonly string[];
}

export interface Coverage {
  readonly gate: GateId;
  /** Branches that some case expects, of all that the gate has. */
  readonly reached: readonly string[];
  readonly missing: readonly string[];
}

export interface CasesReport {
  readonly results: readonly CaseResult[];
  readonly coverage: readonly Coverage[];
}

export const runCases = (
  cases: readonly { readonly file: string; readonly read: ReadCase }[],
): CasesReport => {
  const reached = new Map<GateId, Set<string>>(GATES.map(({ id }) => [id, new Set()]));
  const results = cases.map(({ file, read }): CaseResult => {
    if ('error' in read) return { file, name: read.name, result: 'ERROR', why: [read.error] };
    const why = differences(read.case, reached);
    return { file, name: read.name, result: why.length === 0 ? 'PASS' : 'FAIL', why };
  });
  return {
    results,
    coverage: GATES.map(({ id, branches }) => ({
      gate: id,
      reached: branches.filter((branch) => reached.get(id)!.has(branch)),
      missing: branches.filter((branch) => !reached.get(id)!.has(branch)),
    })),
  };
};

/** Only what a case expects counts as covered: a branch that nobody looked at is not tested. */
const differences = (one: PolicyCase, reached: Map<GateId, Set<string>>): string[] =>
  GATES.flatMap((gate) => {
    const wanted = one.expect[gate.id];
    if (wanted === undefined) return [];
    const { verdict, reason, branch } = gate.decide(one.intent, one.facts);
    reached.get(gate.id)!.add(branch);
    const expected = typeof wanted === 'string' ? { verdict: wanted } : wanted;
    const differs: string[] = [];
    if (verdict !== expected.verdict)
      differs.push(`${gate.id} is ${verdict}, expected ${expected.verdict}: ${reason}`);
    if (expected.says !== undefined && !reason.includes(expected.says))
      differs.push(`${gate.id} says "${reason}", expected "${expected.says}" in it`);
    if (expected.branch !== undefined && branch !== expected.branch)
      differs.push(`${gate.id} takes ${branch}, expected ${expected.branch}`);
    return differs;
  });
