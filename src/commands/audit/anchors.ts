/** What the places outside of the log's directory say of it. */

import { isXcError } from '../../core/errors/xc-error.ts';
import type { Host } from '../frame/host.ts';
import { anchorPlaces, type SeenAnchors } from './anchor-places.ts';

export interface AskedPlace extends Omit<SeenAnchors, 'anchors'> {
  readonly place: string;
  /** Null where the place could not be asked. */
  readonly anchors: SeenAnchors['anchors'] | null;
}

/** All places, whether they answer or not. @param newest the last anchor of each is enough */
export const askAnchors = async (host: Host, origin: string, newest = false): Promise<AskedPlace[]> => {
  const places = await anchorPlaces(host);
  return await Promise.all(
    places.map(async (place) => {
      try {
        return { place: place.name, ...(await place.read(origin, newest)) };
      } catch (error) {
        if (!isXcError(error)) throw error;
        return { place: place.name, anchors: null, waiting: 0, claimed: 0, why: error.message };
      }
    }),
  );
};
