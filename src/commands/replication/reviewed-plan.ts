/** A plan that somebody reviewed: read from its file, and what of the configuration it is about. */

import { resolve } from 'node:path';
import { readFile } from 'node:fs/promises';
import { isXcError, XcError } from '../../core/errors/xc-error.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { parsePlan } from '../../core/run/plan-file.ts';
import type { Host } from '../frame/host.ts';
import { type Selected } from './selection.ts';

export const readPlan = async (host: Host, file: string): Promise<Plan> => {
  const path = resolve(host.cwd, file);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new XcError('XC-1303', {
      subject: file,
      why: error instanceof Error ? error.message : String(error),
    });
  });
  return parsePlan(text, file);
};

/** A plan names its links; the streams are those that carry them, or that its steps are on. */
export const scopedTo = (selected: Selected, { wish, steps }: Plan): Selected => {
  const ids = new Set(wish.links);
  const keys = new Set(
    steps.flatMap((step) => (step.kind === 'move-links' ? [step.stream, step.from] : [step.stream])),
  );
  const streams = selected.streams.filter(
    (stream) => keys.has(stream.key) || stream.links.some((link) => ids.has(link.id)),
  );
  return { ...selected, ids, streams, links: selected.links.filter((link) => ids.has(link.id)) };
};

/** What a plan does to slots and links cannot be done below a run that streams from them. */
export const heldByAnother = (error: unknown, file: string): unknown => {
  if (!isXcError(error, 'XC-7002')) return error;
  const { subject, why, facts, cause } = error;
  const pid =
    typeof facts['pid'] === 'number' ? `kill -TERM ${facts['pid']} on ${String(facts['host'])}` : 'end it';
  return new XcError('XC-7002', {
    ...(subject === undefined ? {} : { subject }),
    ...(why === undefined ? {} : { why }),
    facts,
    cause,
    next: `the plan needs the stream for itself: stop that run (${pid}), run xcrepl replication run --plan ${file}, and start it again`,
  });
};
