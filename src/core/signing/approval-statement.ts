/** An approval: a statement about the sha256 of a plan or a manifest, signed by whoever approves it. */

import type { Buffer } from 'node:buffer';
import * as z from 'zod/mini';
import { XcError } from '../errors/xc-error.ts';
import type { Approval } from '../policy/gates/approval.ts';
import { isoTime } from '../time/clock.ts';
import type { Verified } from './signing.ts';
import { parseStatement, statementBytes, STATEMENT_MEDIA_TYPE } from './statement.ts';

/** A URI of our own scheme (in-toto's TypeURI): it names the shape, and nothing is fetched from it. */
export const APPROVAL_TYPE = 'xcrepl:approval/v1';

const predicate = z.strictObject({ approvedAt: z.iso.datetime(), expiresAt: z.iso.datetime() });

export const approvalBytes = (
  of: { readonly subject: string; readonly digest: string },
  nowMs: number,
  validForMs: number,
): Buffer =>
  statementBytes({
    ...of,
    predicateType: APPROVAL_TYPE,
    predicate: { approvedAt: isoTime(nowMs), expiresAt: isoTime(nowMs + validForMs) },
  });

/**
 * @param names of the keys that may approve, by their ids
 * @throws XcError XC-3031 for what is no approval
 */
export const approvalOf = (
  { payload, payloadType, keyId }: Verified,
  names: ReadonlyMap<string, string>,
  file: string,
): Approval => {
  const refuse = (why: string): XcError => new XcError('XC-3031', { subject: file, why });
  if (payloadType !== STATEMENT_MEDIA_TYPE) throw refuse(`it holds ${payloadType ?? 'a blob'}`);
  const statement = parseStatement(payload);
  if (statement?.predicateType !== APPROVAL_TYPE) throw refuse('it holds no statement of an approval');
  const said = predicate.safeParse(statement.predicate);
  if (!said.success) throw refuse('its predicate is not that of an approval');
  return {
    keyId,
    name: names.get(keyId) ?? null,
    digest: statement.digest,
    approvedAtMs: Date.parse(said.data.approvedAt),
    expiresAtMs: Date.parse(said.data.expiresAt),
  };
};
