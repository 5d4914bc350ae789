/** A sync as a person sees it. */

import type { Painter } from '../frame/host.ts';
import { bytesText, countText } from '../replication/quantities.ts';
import type { MirrorReport } from './mirror-report.ts';

/** Failures that are shown; the report has more. */
const SHOWN = 10;

export const syncView =
  (mirrors: readonly MirrorReport[]) =>
  (paint: Painter): string =>
    mirrors.map((mirror) => one(mirror, paint)).join('\n\n');

const one = (mirror: MirrorReport, paint: Painter): string => {
  const { totals, outcome, result, failures, manifest, source, target } = mirror;
  const title = `${source.region}:${source.prefix} → ${target.region}:${target.prefix}`;
  const rows = (['copy', 'replace', 'delete', 'same', 'unknown'] as const).map((action) => [
    action,
    countText(totals.objects[action]),
    bytesText(totals.bytes[action]),
  ]);
  return [
    `${paint.bold(title)}  ${said(mirror, paint)}`,
    paint.table(['planned', 'objects', 'bytes'], rows),
    ...(result === null
      ? []
      : [
          `copied ${countText(result.copied)}, replaced ${countText(result.replaced)}, deleted ${countText(result.deleted)}, kept ${countText(result.kept)}; ${bytesText(result.bytesSent)} sent`,
          `proven: ${countText(result.attested)} attested by the store, ${countText(result.readBack)} read back, ${countText(result.recorded)} by the last manifest`,
        ]),
    ...(result !== null && result.deletionsSkipped > 0
      ? [
          paint.warn(
            `${countText(result.deletionsSkipped)} deletions were left out, because something failed`,
          ),
        ]
      : []),
    ...(result !== null && result.meanwhileTotal > 0
      ? [
          `changed at the source meanwhile, for the next sync: ${result.meanwhile
            .slice(0, SHOWN)
            .map(({ key }) => key)
            .join(', ')}${result.meanwhileTotal > SHOWN ? ' …' : ''}`,
        ]
      : []),
    ...failures.slice(0, SHOWN).map(({ key, code, message }) => paint.bad(`${key}: ${code} ${message}`)),
    ...(result !== null && result.failed > SHOWN ? [`… and ${result.failed - SHOWN} more`] : []),
    ...(manifest === null || outcome === 'planned'
      ? []
      : [
          `manifest: ${countText(manifest.objects)} objects, ${manifest.digest}, signed by ${manifest.keyId}`,
        ]),
  ].join('\n');
};

const said = ({ outcome, result }: MirrorReport, paint: Painter): string => {
  switch (outcome) {
    case 'planned':
      return 'planned; nothing was written';
    case 'no-change':
      return paint.good('no change');
    case 'done':
      return paint.good('done');
    case 'partly':
      return paint.bad(`partly done: ${result?.failed ?? 0} failed`);
  }
};
