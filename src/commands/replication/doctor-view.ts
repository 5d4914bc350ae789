/** Diagnoses as a person reads them: a table, and below it why and what to do. */

import type { Plan } from '../../core/plan/plan.ts';
import type { Diagnosis } from '../../core/report/doctor.ts';
import type { Painter } from '../frame/host.ts';
import { findingsView } from './plan-view.ts';
import { bytesText, countText } from './quantities.ts';

const TONES = { safe: 'good', duplicate: 'good', none: 'dim', unknown: 'warn', gap: 'bad' } as const;

export const doctorView = (
  links: readonly Diagnosis[],
  plan: Plan | null,
  next: readonly string[],
  paint: Painter,
): string =>
  [
    paint.table(
      ['link', 'verdict', 'reason', 'slot', 'checkpoint', 'slot at', 'source at'],
      links.map(({ link, verdict, reason, walStatus, positions }) => [
        link,
        paint[TONES[verdict]](verdict),
        reason,
        walStatus ?? '-',
        positions.checkpoint ?? '-',
        positions.confirmedFlush ?? '-',
        positions.source ?? '-',
      ]),
    ),
    ...links.flatMap((link) => lines(link).map((line) => `${link.link}: ${line}`)),
    ...(plan
      ? [
          '',
          `plan ${plan.id}: ${plan.steps.filter((step) => step.kind === 'copy-table').length} tables, about ${countText(plan.estimate.rows)} rows to compare; only ranges that differ are read`,
          ...findingsView(plan.findings, paint),
        ]
      : []),
    ...next.map((command) => `next: ${command}`),
  ].join('\n');

const lines = ({ verdict, why, range, risk }: Diagnosis): string[] => [
  ...(verdict === 'safe' ? [] : [why]),
  ...(verdict === 'gap' && range
    ? [
        `missing: after ${range.from ?? 'an unknown position'}, up to ${range.to ?? 'an unknown position'}` +
          (range.bytes === null ? '' : `, ${bytesText(range.bytes)} of log`),
      ]
    : []),
  ...(risk === null ? [] : [risk]),
];
