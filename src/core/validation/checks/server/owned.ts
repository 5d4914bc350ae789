/** Names on a region's server that the configured streams own; everything else with our prefix is a left-over. */

import {
  copySlotName,
  insertOnlyPublicationName,
  linkSlotName,
  originName,
  publicationName,
  slotName,
  type Stream,
} from '../../../topology/link.ts';
import type { OwnedNames } from './context.ts';

export const ownedNames = (region: string, streams: readonly Stream[]): OwnedNames => {
  const from = streams.filter((stream) => stream.source.region === region);
  const to = streams.filter((stream) => stream.target.region === region);
  return {
    slots: new Set([...from.map((stream) => slotName(stream.key)), ...linkSlots(from)]),
    slotPrefixes: from.map((stream) => copySlotName(stream.key, '')),
    publications: new Set(
      from.flatMap((stream) => [publicationName(stream.key), insertOnlyPublicationName(stream.key)]),
    ),
    // A slot's origin has the slot's name, and a copy slot's changes are applied under one for as long as it lives.
    origins: new Set([...to.map((stream) => originName(stream.key)), ...linkSlots(to)]),
  };
};

const linkSlots = (streams: readonly Stream[]): string[] =>
  streams.flatMap((stream) => stream.links.map((link) => linkSlotName(link.id)));
