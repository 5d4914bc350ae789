/**
 * Slots, publications and origins with our prefix that no configured stream owns. They may belong to another control
 * plane on the same server, so that is for a person to decide; but a forgotten slot fills the disk.
 */

import { sizeText } from '../../../config/quantity.ts';
import { quoteLiteral, quoteName } from '../../../topology/quote.ts';
import { recordingName } from '../../../topology/link.ts';
import { row, type ServerCheck } from './context.ts';

const PREFIX = 'xcrepl_';

const isRecording = (name: string): boolean => name.startsWith(recordingName(''));

export const leftovers: ServerCheck = (context) => {
  const { server, owned } = context;
  const slots = server.slots
    .filter((slot) => slot.name.startsWith(PREFIX) && !owned.slots.has(slot.name))
    .filter((slot) => !(slot.active && owned.slotPrefixes.some((prefix) => slot.name.startsWith(prefix))))
    .map((slot) =>
      row(context, 'leftovers', {
        subject: `slot ${slot.name}`,
        verdict: 'fail',
        severity: 'warn',
        seen: `of database ${slot.database ?? 'none'}, ${slot.active ? 'active' : 'inactive'}, keeps ${sizeText(Math.max(0, slot.retainedBytes ?? 0))} of log; ${isRecording(slot.name) ? 'a change log is recorded through it' : 'no configured stream owns it'}`,
        remedy: isRecording(slot.name)
          ? 'xcrepl replication record --stop ends the recording'
          : `SELECT pg_drop_replication_slot(${quoteLiteral(slot.name)});`,
        code: 'XC-5302',
      }),
    );
  const publications = server.publications
    // A recording's go with its slot, which is named.
    .filter((name) => !owned.publications.has(name) && !isRecording(name))
    .map((name) =>
      row(context, 'leftovers', {
        subject: `publication ${name}`,
        verdict: 'fail',
        severity: 'warn',
        seen: `in database ${server.database}; no configured stream owns it`,
        remedy: `DROP PUBLICATION ${quoteName(name)};`,
        code: 'XC-5302',
      }),
    );
  const origins = server.origins
    .filter((name) => !owned.origins.has(name))
    .map((name) =>
      row(context, 'leftovers', {
        subject: `origin ${name}`,
        verdict: 'fail',
        severity: 'warn',
        seen: 'no configured stream owns it',
        remedy: `SELECT pg_replication_origin_drop(${quoteLiteral(name)});`,
        code: 'XC-5302',
      }),
    );
  const all = [...slots, ...publications, ...origins];
  return all.length > 0
    ? all
    : [row(context, 'leftovers', { seen: 'no slot, publication or origin of ours without a stream' })];
};
