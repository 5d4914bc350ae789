/** Links that were copied before it was written down which tables they carry: what is published for them says it. */

import type { Stream } from '../../../core/topology/link.ts';
import { readSides, type EngineParts } from './parts.ts';
import { readLinksWithoutTables } from './table-store.ts';

/** @param key of the stream that the links are on */
export const adoptTables = async (
  parts: EngineParts,
  key: Stream['key'] = parts.options.stream.key,
): Promise<void> => {
  const unknown = new Set(await readLinksWithoutTables(await parts.control.reader(), key));
  const links = parts.options.stream.links.filter(({ id }) => unknown.has(id));
  if (links.length === 0) return;
  const { source, target } = parts.options.stream;
  const there = { ...parts, options: { ...parts.options, stream: { key, source, target, links } } };
  await parts.tables.adopt(links, await readSides(there, links, { meant: 'published', lacking: 'leave' }));
};
