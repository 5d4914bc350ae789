/** A verification as a person reads it. */

import type { VerifyReport } from '../../core/report/verification.ts';
import type { Painter } from '../frame/host.ts';
import { findingsView } from './plan-view.ts';
import { countText } from './quantities.ts';

const TONES = { pass: 'good', fail: 'bad', unknown: 'warn' } as const;

export const verifyView = (report: VerifyReport, paint: Painter): string =>
  [
    paint.table(
      ['table', 'verdict', 'rows', 'chunks', 'differ', 'unsettled', 'how'],
      report.tables.map((table) => [
        table.table,
        paint[TONES[table.verdict]](table.verdict),
        countText(table.rows.source),
        `${table.chunks.checked}/${table.chunks.total}`,
        `${table.atLeast ? '≥' : ''}${table.differing}`,
        String(table.unsettled),
        table.method,
      ]),
    ),
    ...report.links.map((each) => `${each.link}: ${paint[TONES[each.verdict]](each.verdict)}`),
    ...findingsView(report.findings, paint),
    ...planView(report),
    '',
    `${countText(report.rows)} rows compared${report.sample < 1 ? `, a sample of ${report.sample * 100} %` : ''}, seed ${report.seed}`,
  ].join('\n');

const planView = ({ plan }: VerifyReport): string[] => {
  if (plan === undefined) return [];
  if (plan === null) return ['', 'nothing to repair: no plan was written'];
  const more = plan.atLeast ? '; there are more: verify again once it has run' : '';
  return ['', `plan ${plan.id}: repairs ${countText(plan.rows)} rows${more}`, `next: ${plan.next}`];
};
