/** A plan as a person reads it: steps, estimate, policy table, findings. */

import type { Plan } from '../../core/plan/plan.ts';
import { subjectOf } from '../../core/plan/step-subject.ts';
import { keyText, type Finding } from '../../core/validation/finding.ts';
import type { Painter } from '../frame/host.ts';
import { bytesText, countText } from './quantities.ts';

const TONES = { PASS: 'good', NOT_ENFORCED: 'dim', BLOCKED: 'bad', FAIL: 'bad' } as const;

export const planView = (plan: Plan, paint: Painter): string => {
  const { estimate } = plan;
  return [
    `${paint.bold(plan.id)}  ${plan.mode}, good until ${plan.expiresAt}`,
    '',
    plan.steps.length === 0
      ? 'no steps: nothing is selected that could run'
      : paint.table(
          ['step', 'what', 'on', 'rows', 'after'],
          plan.steps.map((step) => [
            step.id,
            step.kind,
            subjectOf(step),
            step.kind === 'copy-table' ? `~${countText(step.rows)}` : '',
            step.dependsOn.join(' '),
          ]),
        ),
    '',
    `estimate: ${countText(estimate.rows)} rows, ${bytesText(estimate.bytes)}, ${estimate.minutes} min; ` +
      `${bytesText(estimate.walBytes)} of log kept back meanwhile`,
    '',
    policyView(plan.policy, paint),
    ...findingsView(plan.findings, paint),
  ].join('\n');
};

export const policyView = (policy: Plan['policy'], paint: Painter): string =>
  paint.table(
    ['gate', 'name', 'verdict', 'reason'],
    policy.map((row) => [
      row.gate,
      row.name,
      paint[TONES[row.verdict]](row.simulated ? `${row.verdict} (simulated)` : row.verdict),
      row.reason,
    ]),
  );

export const findingsView = (findings: readonly Finding[], paint: Painter): string[] => {
  const shown = findings.filter((finding) => finding.verdict !== 'pass');
  if (shown.length === 0) return [];
  return [
    '',
    paint.bold('findings'),
    ...shown.flatMap((finding) => [
      `${paint[finding.severity === 'info' ? 'dim' : 'warn'](finding.severity)} ${finding.check} ${finding.subject}: ${finding.seen}`,
      ...(finding.remedy === undefined ? [] : [`     ${paint.dim(finding.remedy)}`]),
      ...(finding.keys ?? []).map((key) => `     ${keyText(key)}`),
    ]),
  ];
};
