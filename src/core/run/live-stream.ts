/**
 * A stream whose links follow the configuration while it is drained: what holds the stream sees a link that came, or one
 * that went, the next time that it asks.
 */

import type { Link, Stream } from '../topology/link.ts';

export interface LiveStream extends Stream {
  update(links: readonly Link[], others: readonly Link[]): void;
}

export const liveStream = (stream: Stream): LiveStream => {
  let { links, others = [] } = stream;
  return {
    key: stream.key,
    source: stream.source,
    ...(stream.otherKeys ? { otherKeys: stream.otherKeys } : {}),
    target: stream.target,
    get links() {
      return links;
    },
    get others() {
      return others;
    },
    update(next, nextOthers) {
      links = next;
      others = nextOthers;
    },
  };
};
