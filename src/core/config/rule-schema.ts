/** A rule: what is replicated, from where to where, and how. A signed manifest has this shape. */

import * as z from 'zod/mini';
import { _default as defaulting } from 'zod/mini';
import { duration, exactTable, name, named, says, tablePattern, text } from './scalars.ts';

const map = says(
  'What tables and columns are called on the target, where not as at the source. Names are exact; what nothing names keeps its own, folded by `case`.',
  z.strictObject({
    schemas: says('Target schema by source schema.', z.optional(z.record(text, text))),
    tables: says(
      'Target table by source table, both as schema.table.',
      z.optional(z.record(exactTable, exactTable)),
    ),
    columns: says(
      'Target column by source column, by source table.',
      z.optional(z.record(exactTable, z.record(text, text))),
    ),
    case: says(
      'lower: names of schemas, tables and columns as PostgreSQL folds them without quotes.',
      defaulting(z.enum(['preserve', 'lower']), 'preserve'),
    ),
  }),
);

export const ruleSchema = z.strictObject({
  id: named('Part of every link’s name.'),
  tenants: says(
    'Tenant names or patterns with *.',
    z.array(text).check(z.minLength(1, 'at least one tenant')),
  ),
  tables: says(
    'Table patterns: schema.table with *; a leading ! excludes. A part with a dot, space, quote, * or ! in its name stands in double quotes, as in SQL.',
    z.optional(z.array(tablePattern).check(z.minLength(1, 'at least one table pattern'))),
  ),
  prefixes: says(
    'Object prefixes.',
    z.optional(z.array(z.string()).check(z.minLength(1, 'at least one prefix'))),
  ),
  tier: says(
    'hot: active-active streams; warm: tables, asynchronous; cold: partitioned files.',
    defaulting(z.enum(['hot', 'warm', 'cold']), 'warm'),
  ),
  mode: says(
    'active-active links every two of the rule’s regions in both directions.',
    defaulting(z.enum(['active-passive', 'active-active']), 'active-passive'),
  ),
  from: named('Source region.'),
  to: says('Target regions.', z.array(name).check(z.minLength(1, 'at least one region'))),
  dedicated: says(
    'A slot and publication for each link of this rule alone. May be changed at any time: the next run that is started moves the links, without copying them again.',
    defaulting(z.boolean(), false),
  ),
  ddl: says(
    'What the target lacks after a schema change at the source: stop before it is needed, or let the run add it where that is additive.',
    defaulting(z.enum(['stop', 'additive']), 'stop'),
  ),
  verify: says('What a run compares at its end.', defaulting(z.enum(['off', 'changed', 'full']), 'changed')),
  lagObjective: says('The lag that status measures the link against.', z.optional(duration)),
  foreignKeys: says(
    'Foreign keys of the target are not checked while rows are applied. check: verification counts rows that point to nothing, which is a finding and stops nothing.',
    defaulting(z.enum(['ignore', 'check']), 'ignore'),
  ),
  sequences: says(
    'Sequences that the tables’ columns draw from are carried along: the target’s are kept at the source’s value, and headStart values ahead (1000 where nothing is said). off leaves them alone.',
    z.optional(
      z.union([z.literal('off'), z.strictObject({ headStart: z.int().check(z.minimum(0, 'at least 0')) })]),
    ),
  ),
  map: z.optional(map),
  leaveOut: says(
    'Columns by table pattern that are not sent: the target lacks them, or computes its own.',
    z.optional(z.record(tablePattern, z.array(text).check(z.minLength(1, 'at least one column')))),
  ),
  timeColumns: says('Time column by table pattern, for --window.', z.optional(z.record(tablePattern, text))),
});
