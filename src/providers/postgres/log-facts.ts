/** Facts of a stream that a change log brings: the log's own, and the target's as for any other stream. */

import { parseLsn, ZERO_LSN } from '../../core/change/lsn.ts';
import type { ReplayedLog } from '../../core/changelog/replayed-log.ts';
import { replayLinks } from '../../core/changelog/replay-links.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import type { LogFacts, SourceFacts, StreamFacts } from '../../core/plan/facts.ts';
import { slotName, type Stream } from '../../core/topology/link.ts';
import { tableName } from '../../core/topology/table.ts';
import { placesOf, targetView } from '../../core/topology/target-view.ts';
import { tablesInScope } from '../../core/validation/checks/table/scope.ts';
import { onServer, targetFacts, type FactsOptions } from './facts.ts';

/** @throws XcError XC-5032, XC-5035 for a log of another control plane, XC-5040, and what the target gives */
export const gatherLogFacts = async (
  stream: Stream,
  log: ReplayedLog,
  controlPlane: string,
  options: Omit<FactsOptions, 'streams'>,
): Promise<StreamFacts> =>
  await onServer(stream.target, { ...options, streams: [stream] }, async (client, subject) => {
    const target = await targetFacts(client, subject, stream, { ...options, streams: [stream] });
    const slot = slotName(stream.key);
    const checkpoint = target.checkpoints.find((row) => row.slot === slot)?.position ?? null;
    const look = await log.look(checkpoint);
    const { header, catalogue } = look;
    if (header.controlPlane !== controlPlane)
      throw new XcError('XC-5035', {
        subject: stream.source.region,
        why: `it was recorded for control plane ${header.controlPlane}, not ${controlPlane}`,
      });
    const links = replayLinks(stream.links, look.tables);
    const places = placesOf(links, (link) => tablesInScope(link, catalogue).map(tableName));
    const facts: LogFacts = {
      controlPlane: header.controlPlane,
      tenant: header.link.tenant,
      scope: header.link.scope,
      link: header.link.id,
      copy: header.copy,
      begin: header.copy ? ZERO_LSN : parseLsn(header.start),
      start: parseLsn(header.start),
      oldest: look.oldest,
      awaited: look.awaited,
    };
    const source: SourceFacts = {
      ...stream.source,
      systemIdentifier: look.genesis,
      timeline: header.source.timeline,
      version: header.source.version,
      inRecovery: false,
      role: 'primary',
      catalogue,
      currentLsn: look.end,
      walLevel: 'logical',
      maxSlotWalKeepBytes: null,
      walBytesPerSecond: null,
      slots: [],
      publications: [],
      scopedRows: new Map(),
      log: facts,
    };
    return {
      stream: { ...stream, links },
      source,
      target: { ...target, catalogue: targetView(target.catalogue, catalogue, places) },
    };
  });
