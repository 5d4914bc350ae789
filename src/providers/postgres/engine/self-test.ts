/** Tests verification on the tables of links, beside whatever runs: nothing of theirs is written. */

import type { SelfTested, SelfTestRequest } from '../../../core/replication/engine.ts';
import { selfTestFinding } from '../../../core/validation/compare/self-test.ts';
import type { Finding } from '../../../core/validation/finding.ts';
import { selfTest } from '../verify/self-test.ts';
import { isCarried, notCompared, readLinks } from './compare-links.ts';
import { linksNamed, readSides, type EngineParts } from './parts.ts';
import { tablesToVerify } from './verify-links.ts';

/** Rows of a link that carries none, and may not be allowed to, are not sent to be tested with either. */
export const selfTestLinks = async (
  parts: EngineParts,
  { links: names, wanted }: SelfTestRequest,
  signal: AbortSignal,
): Promise<SelfTested> => {
  const { options, sessions, control } = parts;
  const states = await readLinks(await control.reader(), names);
  const carried = names.filter((link) => isCarried(states.get(link)?.state));
  const findings: Finding[] = names.flatMap((link) =>
    carried.includes(link) ? [] : [notCompared(link, states.get(link)?.state)],
  );
  const links = linksNamed(parts, carried);
  const sides = await readSides(parts, links);
  const tested = await selfTest({
    source: () => sessions.source('reader'),
    target: () => sessions.target('control'),
    tables: tablesToVerify(
      links,
      (link, table) => sides.tables.get(link)!.has(table) && wanted(link, table),
      undefined,
      { options, ...sides },
    ),
    clock: options.clock,
    random: options.random,
    signal,
  });
  return { tested, findings: [...findings, ...tested.map(selfTestFinding)] };
};
