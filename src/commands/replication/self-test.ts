/** `replication verify --self-test`: has verification find what is planted in scratch copies. */

import { XcError } from '../../core/errors/xc-error.ts';
import type { SelfTested } from '../../core/replication/engine.ts';
import { foldSelfTest, type SelfTestReport } from '../../core/report/self-test.ts';
import { isoTime } from '../../core/time/clock.ts';
import { matchesPatterns } from '../../core/topology/pattern.ts';
import type { Host, Outcome, Painter } from '../frame/host.ts';
import { hashKeysOf } from './hash-keys.ts';
import { openComparing } from './open-comparing.ts';
import { findingsView } from './plan-view.ts';
import { countText } from './quantities.ts';
import type { Selected } from './selection.ts';

export const selfTestReplication = async (
  host: Host,
  selected: Selected,
  patterns: readonly string[] | undefined,
): Promise<Outcome> => {
  const hashKeys = await hashKeysOf(host, selected.loaded);
  const parts: SelfTested[] = [];
  for (const stream of selected.streams) {
    await using engine = await openComparing(host, stream, selected, hashKeys);
    if (!engine.selfTest)
      throw new XcError('XC-1007', {
        subject: `verify --self-test from ${stream.source.region}`,
        why: 'a change log has no state to compare with',
      });
    const links = stream.links.map(({ id }) => id).filter((id) => selected.ids.has(id));
    const wanted = (_: string, table: string): boolean => !patterns || matchesPatterns(patterns, table);
    parts.push(await engine.selfTest({ links, wanted }, host.signal));
  }
  const report = foldSelfTest(parts, { at: isoTime(host.clock.nowMs()), mode: selected.loaded.mode });
  return {
    document: report,
    records: report.findings,
    exit: report.exit,
    table: (paint) => view(report, paint),
  };
};

const TONES = { pass: 'good', fail: 'bad', unknown: 'warn' } as const;

const view = ({ tables, findings, verdict }: SelfTestReport, paint: Painter): string =>
  [
    paint.table(
      ['table', 'verdict', 'rows', 'planted', 'found'],
      tables.map((table) => [
        table.table,
        paint[TONES[table.verdict]](table.verdict),
        countText(table.rows),
        table.planted.join(', '),
        table.found.join(', '),
      ]),
    ),
    ...findingsView(findings, paint),
    '',
    `verification ${verdict === 'pass' ? 'finds what differs' : verdict === 'fail' ? 'MISSES what differs' : 'could not be tested'}`,
  ].join('\n');
