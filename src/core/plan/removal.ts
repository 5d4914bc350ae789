/**
 * The plan of a command that removes something for good (a link, a recording, everything of ours in a region): what would
 * be destroyed, as data that somebody signs and others approve, as they do with a plan of replication. Pure.
 */

import * as z from 'zod/mini';
import { XcError } from '../errors/xc-error.ts';
import { isoTime } from '../time/clock.ts';
import { digest as digestOf } from './basis.ts';
import { PLAN_LIFE_MS } from './make-plan.ts';

export interface Removal {
  /** The command: "replication drop". */
  readonly action: string;
  /** A link, a region. */
  readonly subject: string;
  /** Where it works. */
  readonly region: string;
  /** In words; empty where there is nothing to remove. */
  readonly destroys: readonly string[];
  /** What of the region's state decides, as JSON: made again under the same name it is another, and the plan stale. */
  readonly rests: unknown;
}

const schema = z.strictObject({
  schemaVersion: z.literal(1),
  id: z.string().check(z.minLength(1)),
  kind: z.literal('removal'),
  controlPlane: z.string(),
  action: z.string(),
  subject: z.string(),
  region: z.string(),
  destroys: z.array(z.string()),
  basis: z.string(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  digest: z.string(),
});

export type RemovalPlan = Readonly<z.output<typeof schema>>;

const withDigest = (plan: Omit<RemovalPlan, 'digest'>): RemovalPlan => ({ ...plan, digest: digestOf(plan) });

export const removalPlan = (
  { action, subject, region, destroys, rests }: Removal,
  of: { readonly id: string; readonly controlPlane: string; readonly nowMs: number },
): RemovalPlan =>
  withDigest({
    schemaVersion: 1,
    id: of.id,
    kind: 'removal',
    controlPlane: of.controlPlane,
    action,
    subject,
    region,
    destroys: [...destroys],
    basis: digestOf(rests),
    createdAt: isoTime(of.nowMs),
    expiresAt: isoTime(of.nowMs + PLAN_LIFE_MS),
  });

/** @throws XcError XC-1303 for what is no such plan, XC-3003 when it was edited */
export const parseRemoval = (text: string, file: string): RemovalPlan => {
  const bad = (why: string): XcError => new XcError('XC-1303', { subject: file, why });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw bad(error instanceof Error ? error.message : 'no JSON');
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success)
    throw bad(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
  const { digest, ...rest } = parsed.data;
  if (digestOf(rest) !== digest)
    throw new XcError('XC-3003', {
      subject: file,
      why: 'its content does not have the digest that it names',
    });
  return parsed.data;
};

/** @param now the same, made from what is there now. @throws XcError XC-3001 */
export const refuseStaleRemoval = (reviewed: RemovalPlan, now: RemovalPlan, nowMs: number): void => {
  const stale = (why: string): XcError => new XcError('XC-3001', { subject: reviewed.id, why });
  if (Date.parse(reviewed.expiresAt) <= nowMs) throw stale(`it expired at ${reviewed.expiresAt}`);
  for (const part of ['controlPlane', 'action', 'subject', 'region'] as const)
    if (reviewed[part] !== now[part]) throw stale(`it is about ${reviewed[part]}, and this is ${now[part]}`);
  const more = now.destroys.find((what) => !reviewed.destroys.includes(what));
  if (more !== undefined) throw stale(`it does not say that this ${more}`);
  if (reviewed.basis !== now.basis)
    throw stale('what it was made for is gone, and another one is in its place');
};
