/**
 * One look at the positions of a stream: the slots, then the checkpoints, then the end of the source's log, in the order
 * in which a stream that flows meanwhile cannot make one look ahead of another. Reads only.
 */

import type { Client } from 'pg';
import type { DoctorLook, DoctorRow, DoctorTarget } from '../../core/report/doctor.ts';
import type { Stream } from '../../core/topology/link.ts';
import { connect, disconnect } from './connect.ts';
import { readIdentity } from './identity.ts';
import { pgError } from './pg-error.ts';
import { readOrigins, readPublicationNames, readSlots } from './positions.ts';
import { readTargetState } from './target-state.ts';
import { endOfLog, historySince } from './timeline.ts';

/** @throws XcError XC-4xxx, XC-6xxx from whichever server cannot be asked */
export const examine = async (
  stream: Stream,
  dsns: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<DoctorLook> =>
  await onServer(stream.target, dsns, signal, (atTarget) =>
    onServer(stream.source, dsns, signal, async (client, walsender) => {
      const identity = await readIdentity(client, stream.source.region, walsender);
      const slots = await readSlots(client);
      const publications = await readPublicationNames(client);
      const target = await lookAtTarget(atTarget, stream);
      const history = await historySince(target.known?.timeline ?? null, identity, walsender);
      const { systemIdentifier, timeline, database } = identity;
      const currentLsn = await endOfLog(client);
      return {
        stream,
        source: {
          identity: { systemIdentifier, timeline, database, history, currentLsn },
          slots,
          publications,
        },
        target,
        errors: [],
      };
    }),
  );

const lookAtTarget = async (client: Client, { key, target, links }: Stream): Promise<DoctorTarget> => {
  const state = await readTargetState(client, target.region);
  const known = state.sources.get(key);
  // One that the configuration has moved stands on another stream until a run has moved it.
  const rows = state.links.filter((row) => row.stream === key || links.some(({ id }) => id === row.link));
  return {
    known: known ? { systemIdentifier: known.system, timeline: known.timeline } : null,
    links: new Map(
      rows.map(({ link, slot, state: linkState, takenOff, detail }): [string, DoctorRow] => [
        link,
        { slot, state: linkState, takenOff, why: typeof detail.why === 'string' ? detail.why : null },
      ]),
    ),
    checkpoints: new Map(state.checkpoints.map(({ slot, position }) => [slot, position])),
    origins: state.schemaVersion === null ? new Map() : await readOrigins(client),
  };
};

const onServer = async <T>(
  { region, database }: Stream['source'],
  dsns: ReadonlyMap<string, string>,
  signal: AbortSignal,
  work: (client: Client, walsender: () => Promise<Client>) => Promise<T>,
): Promise<T> => {
  const dsn = dsns.get(region) ?? '';
  const common = { subject: region, database, signal };
  const client = await connect(dsn, { ...common, readOnly: true });
  try {
    return await work(client, () => connect(dsn, { ...common, replication: 'database' }));
  } catch (error) {
    signal.throwIfAborted();
    throw pgError(error, region);
  } finally {
    await disconnect(client);
  }
};
