/** A region: its server, its object store, where it lies. */

import * as z from 'zod/mini';
import { _default as defaulting } from 'zod/mini';
import { objects } from './objects-schema.ts';
import { duration, named, says, secretRef, size, text } from './scalars.ts';

const postgres = says(
  'The region’s PostgreSQL server. The DSN names user, host, port, database and sslmode.',
  z.strictObject({
    dsn: secretRef,
    connectTimeout: says('Longest wait for a connection. Default 10s.', z.optional(duration)),
    heartbeat: says(
      'How often a followed stream from this server that stands, while its log moves on, is helped on by a logical message in the log. Default 15s; off writes none.',
      z.optional(z.union([z.literal('off'), duration])),
    ),
    retainedWal: says(
      'When the log that slots of this server hold back is an alarm, in status, /health, metrics and the log of a run.',
      z.optional(
        z.strictObject({
          limit: says(
            'What a slot may hold back where max_slot_wal_keep_size sets no limit: the headroom of the disk. Default 64GiB.',
            z.optional(size),
          ),
          held: says(
            'What the own slot of a paused or errored link may hold back before it is dropped and the link needs repair. Default half of what max_slot_wal_keep_size or the limit allows.',
            z.optional(size),
          ),
          alarmAt: says(
            'Part of the limit from which there is an alarm. Default 0.5.',
            z.optional(z.number().check(z.positive('must be above 0'), z.maximum(1, 'at most 1'))),
          ),
          alarmWithin: says(
            'Also when the rest will be used up within this time at the present rate. Default 1h.',
            z.optional(duration),
          ),
        }),
      ),
    ),
  }),
);

export const region = z.strictObject({
  kind: says(
    'What the rows of the region are in: a PostgreSQL server, which is the default, or a change log, which can be replayed and not written.',
    z.optional(z.enum(['postgres', 'changelog'])),
  ),
  path: says(
    'For kind changelog: the first file of the log; a relative path starts at the configuration file.',
    z.optional(text),
  ),
  zone: named('Residency zone: personal data of a tenant stays in the zones that its residency names.'),
  location: says(
    'Where it is, for routing by distance. Degrees.',
    z.optional(
      z.strictObject({
        lat: z.number().check(z.minimum(-90), z.maximum(90)),
        lon: z.number().check(z.minimum(-180), z.maximum(180)),
      }),
    ),
  ),
  initialRole: says(
    'The start; the epochs in the database are the truth afterwards.',
    defaulting(z.enum(['primary', 'replica']), 'replica'),
  ),
  postgres: z.optional(postgres),
  objects: z.optional(objects),
});
