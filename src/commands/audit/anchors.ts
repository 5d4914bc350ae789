/** Anchors of the log in the regions' databases. */

import type { Anchor } from '../../core/audit/verify.ts';
import { isXcError } from '../../core/errors/xc-error.ts';
import { countOutbox, holdsAudit, readAnchors } from '../../providers/postgres/audit.ts';
import type { Host } from '../frame/host.ts';
import { onDatabase } from '../region-databases.ts';
import { nameOf, placesOf } from './settle.ts';

export interface AnchorPlace {
  readonly place: string;
  /** Null where the place could not be asked. */
  readonly anchors: readonly Anchor[] | null;
  readonly waiting: number;
  readonly claimed: number;
  readonly why?: string;
}

/** All places, whether they answer or not. */
export const askAnchors = async (host: Host, origin: string): Promise<AnchorPlace[]> => {
  const places = await placesOf(host);
  return await Promise.all(
    places.map(async (place) => {
      const name = nameOf(place);
      try {
        return await onDatabase(host, place, async (client) =>
          (await holdsAudit(client))
            ? {
                place: name,
                anchors: await readAnchors(client, origin, name),
                ...(await countOutbox(client)),
              }
            : { place: name, anchors: [], waiting: 0, claimed: 0, why: 'no schema xcrepl of this version' },
        );
      } catch (error) {
        if (!isXcError(error)) throw error;
        return { place: name, anchors: null, waiting: 0, claimed: 0, why: error.message };
      }
    }),
  );
};
