/** Budgets, and how concurrent writes are resolved. */

import * as z from 'zod/mini';
import { duration, name, says, size, tablePattern, text } from './scalars.ts';

export const budget = says(
  'How much one tenant may use between two regions.',
  z.strictObject({
    tenant: name,
    from: name,
    to: name,
    bytesPerSecond: z.optional(size),
    bytesPerDay: z.optional(size),
    concurrentJobs: z.optional(z.int().check(z.positive('must be at least 1'))),
    maxLatency: says('While its stream is later, its copies begin no further chunk.', z.optional(duration)),
  }),
);

const strategy = z.enum(['last-write', 'source-priority', 'append', 'merge', 'manual']);
const rank = says('Regions, the strongest first.', z.optional(z.array(name)));
export const conflicts = z.strictObject({
  default: z.optional(z.strictObject({ strategy, rank })),
  tables: z.optional(
    z.record(
      tablePattern,
      z.strictObject({
        strategy: z.optional(strategy),
        rank,
        columns: z.optional(z.record(text, z.enum(['sum-delta', 'max', 'min', 'last-write']))),
      }),
    ),
  ),
});
