/** Whose signatures and approvals count. */

import * as z from 'zod/mini';
import { _default as defaulting } from 'zod/mini';
import { duration, name, says, text, textOf } from './scalars.ts';

export const KEY_SCOPES = ['manifest', 'approve', 'request', 'pii:replicate', 'snapshot'] as const;

export const signing = z.strictObject({
  publicKeys: says(
    'Keys whose signatures count, by name.',
    defaulting(
      z.record(
        name,
        z.strictObject({
          file: textOf('Public key in PEM; a relative path starts at the configuration file.'),
          scopes: says(
            'manifest: signs manifests; approve: approves plans and manifests; request: asks for what others approve; pii:replicate: manifests that let personal data leave as it is; snapshot: signs snapshots.',
            z.array(z.enum(KEY_SCOPES)).check(z.minLength(1, 'at least one scope')),
          ),
        }),
      ),
      {},
    ),
  ),
  manifests: says(
    'Directory of signed manifests of tenants and rules, which win over this file; a relative path starts at the configuration file.',
    z.optional(text),
  ),
  approvals: says(
    'How many keys must approve what destroys, promotes or overrides in production, and manifests that let personal data leave.',
    z.optional(
      z.strictObject({
        required: z.int().check(z.positive('must be at least 1')),
        validFor: says('How long an approval is good for. Default 24h.', z.optional(duration)),
      }),
    ),
  ),
});
