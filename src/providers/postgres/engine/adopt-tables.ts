/** Links that were copied before it was written down which tables they carry: what is published for them says it. */

import { readSides, type EngineParts } from './parts.ts';
import { readStoredTables } from './table-store.ts';

export const adoptTables = async (parts: EngineParts): Promise<void> => {
  const known = await readStoredTables(await parts.control.reader(), parts.options.stream.key);
  const unknown = new Set((await parts.store.linkIds()).filter((link) => !known.has(link)));
  const links = parts.options.stream.links.filter(({ id }) => unknown.has(id));
  if (links.length === 0) return;
  await parts.tables.adopt(links, await readSides(parts, links, { meant: 'published', lacking: 'leave' }));
};
