/** A tenant: which rows are its own, where they may be, and what is done with its columns. A signed manifest has this shape. */

import * as z from 'zod/mini';
import { _default as defaulting } from 'zod/mini';
import { exactTable, name, says, text } from './scalars.ts';

const scope = says(
  'Which rows are the tenant’s.',
  z.discriminatedUnion('kind', [
    says(
      'Rows whose column has this value.',
      z.strictObject({
        kind: z.literal('column'),
        column: text,
        value: z.pipe(z.union([z.string(), z.int()]), z.transform(String)),
      }),
    ),
    says(
      'All rows of the tables of one schema.',
      z.strictObject({ kind: z.literal('schema'), schema: text }),
    ),
    says(
      'All rows of one database of the same server.',
      z.strictObject({ kind: z.literal('database'), database: text }),
    ),
  ]),
);

export const PII_CLASSES = ['email', 'phone', 'name', 'address', 'free-text', 'id', 'none'] as const;

const columnRule = says(
  '`allow`, or what is done with the column before it leaves the region.',
  z.union([
    z.pipe(
      z.literal('allow'),
      z.transform(() => ({ action: 'allow' as const })),
    ),
    z
      .strictObject({
        pii: z.optional(z.enum(PII_CLASSES)),
        action: z.enum(['allow', 'hash', 'mask', 'drop']),
        key: says('For hash: a name under hashKeys.', z.optional(z.string())),
      })
      .check(
        z.refine((rule) => rule.action !== 'hash' || rule.key !== undefined, {
          message: 'hash needs a key: a name under hashKeys',
        }),
        z.refine((rule) => rule.action === 'hash' || rule.key === undefined, {
          message: 'only hash takes a key',
        }),
      ),
  ]),
);

export const tenantSchema = z.strictObject({
  scope,
  residency: says(
    'Where personal data of the tenant may be.',
    z.optional(
      z.strictObject({
        zones: z.array(name).check(z.minLength(1, 'at least one zone')),
        redacted: says(
          'Whether redacted data may leave the zones.',
          defaulting(z.enum(['any', 'zones']), 'zones'),
        ),
      }),
    ),
  ),
  columns: says(
    'Column rules by table. When present the tenant is default-deny: a column without a rule stops.',
    z.optional(z.record(exactTable, z.record(text, columnRule))),
  ),
});
