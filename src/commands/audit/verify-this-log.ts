/** The log of this directory against itself and its anchors. */

import { verifyLog } from '../../core/audit/verify.ts';
import { EXIT } from '../../core/errors/exit.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { readLog } from '../../providers/audit-files/open-log.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { askAnchors, type AskedPlace } from './anchors.ts';
import { findLog } from './open.ts';

export const verifyThisLog = async (
  host: Host,
  { offline }: { readonly offline: boolean },
): Promise<Outcome> => {
  const known = await findLog(host);
  if (!known) throw new XcError('XC-1006', { subject: 'audit log', why: 'there is none in this directory' });
  const places: AskedPlace[] = offline ? [] : await askAnchors(host, known.origin);
  const anchors = places.flatMap((place) => place.anchors ?? []);
  const judged = await verifyLog(readLog(known.path), known.keys.verifiers, anchors);
  const unasked = places.filter((place) => place.anchors === null);
  const verdict = judged.verdict === 'fail' ? 'fail' : unasked.length > 0 ? 'unknown' : 'pass';
  return {
    document: {
      schemaVersion: 1,
      log: known.origin,
      ...judged,
      verdict,
      anchors: offline ? null : anchors.length,
      unasked: unasked.map(({ place, why }) => ({ place, why })),
    },
    exit: { pass: EXIT.done, fail: EXIT.findings, unknown: EXIT.unknown }[verdict],
    table: (paint) =>
      [
        `${paint.bold(known.origin)}: ${verdict}`,
        `${judged.entries} entries, ${judged.signed} signed, ${judged.anchored} anchored elsewhere`,
        ...judged.findings.map(({ subject, seen }) => paint.bad(`${subject}: ${seen}`)),
        ...unasked.map(({ place, why }) => paint.warn(`${place} could not be asked: ${why}`)),
      ].join('\n'),
  };
};
