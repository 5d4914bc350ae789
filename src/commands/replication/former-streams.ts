/**
 * Streams that selected links have to leave: a rule was made dedicated, and its links stand on the stream that they shared.
 * That one takes part, with all that the configuration still has on it.
 */

import { isXcError } from '../../core/errors/xc-error.ts';
import { streamKey, type Stream } from '../../core/topology/link.ts';
import { connect, disconnect } from '../../providers/postgres/connect.ts';
import { readStreamKeys } from '../../providers/postgres/target-state.ts';
import type { Host } from '../frame/host.ts';
import { selectLinks, type Selected } from './selection.ts';

export const withFormerStreams = async (host: Host, selected: Selected): Promise<Selected> => {
  const shared = new Map<string, Stream>();
  for (const stream of selected.streams) {
    if (!stream.links.some(({ rule }) => rule.dedicated)) continue;
    const key = streamKey(selected.loaded.config.controlPlane, stream.source, stream.target);
    shared.set(key, { ...stream, key });
  }
  for (const { key } of selected.streams) shared.delete(key);
  if (shared.size === 0) return selected;
  const former: Stream[] = [];
  for (const [key, stream] of shared)
    if (await isThere(host, selected, stream)) former.push(await whole(host, selected, key, stream));
  return former.length === 0 ? selected : { ...selected, streams: [...selected.streams, ...former] };
};

/** A target that does not answer is met, and named, where facts are gathered. */
const isThere = async (host: Host, { dsns }: Selected, { key, target }: Stream): Promise<boolean> => {
  try {
    const client = await connect(dsns.get(target.region) ?? '', {
      subject: target.region,
      database: target.database,
      readOnly: true,
      signal: host.signal,
    });
    try {
      return (await readStreamKeys(client)).includes(key);
    } finally {
      await disconnect(client);
    }
  } catch (error) {
    if (isXcError(error)) return false;
    throw error;
  }
};

const whole = async (host: Host, selected: Selected, key: string, stream: Stream): Promise<Stream> => {
  const all = await selectLinks(host, selected.loaded, {
    from: stream.source.region,
    to: stream.target.region,
  });
  const configured = all.streams.find((each) => each.key === key);
  if (configured) return configured;
  const { source, target } = stream;
  return { key, source, target, links: [], others: all.links };
};
