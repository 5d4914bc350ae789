/** "How to prevent object overwrites with conditional writes" (Amazon S3 User Guide). */

import type { Precondition } from '../../core/objects/object-store.ts';

export const conditionHeaders = (when: Precondition | undefined): { IfNoneMatch?: '*'; IfMatch?: string } => {
  if (when === undefined) return {};
  return when.kind === 'absent' ? { IfNoneMatch: '*' } : { IfMatch: when.version };
};

/** Without its quotation marks: Ceph compares a condition letter by letter with an ETag that has none, S3 takes both. */
export const unquoted = (etag: string | undefined): string => etag?.replace(/^"(.*)"$/, '$1') ?? '';
