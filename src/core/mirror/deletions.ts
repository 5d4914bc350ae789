/** What only the target has, removed: the planned version, and only while the source still lacks it. */

import { isXcError, XcError } from '../errors/xc-error.ts';
import { preconditionFailed } from '../objects/store-errors.ts';
import { patiently } from './carry-out.ts';
import type { Entry } from './entry.ts';
import { inOrder } from './in-order.ts';
import type { MirrorPorts } from './ports.ts';

export interface Deleted {
  readonly key: string;
  readonly error: XcError | null;
}

export const deleteExtra = (entries: AsyncIterable<Entry>, ports: MirrorPorts): AsyncGenerator<Deleted> =>
  inOrder(onlyDeletions(entries), { atOnce: ports.transfers, ahead: 1_024 }, async ({ key, target }) => {
    ports.signal.throwIfAborted();
    try {
      await patiently(ports, async () => await removeOne(ports, key, target?.version ?? ''));
      return { key, error: null };
    } catch (error) {
      ports.signal.throwIfAborted();
      if (!isXcError(error)) throw error;
      return { key, error };
    }
  });

async function* onlyDeletions(entries: AsyncIterable<Entry>): AsyncGenerator<Entry> {
  for await (const entry of entries) if (entry.action === 'delete') yield entry;
}

const removeOne = async (ports: MirrorPorts, key: string, version: string): Promise<void> => {
  const { source, target, sourcePrefix, targetPrefix } = ports;
  if ((await source.head(sourcePrefix + key)) !== null)
    throw preconditionFailed(source.place, sourcePrefix + key, 'the source has it again');
  await target.remove(targetPrefix + key, { kind: 'version', version });
  if ((await target.head(targetPrefix + key)) !== null)
    throw new XcError('XC-5432', { subject: `${target.place} ${targetPrefix}${key}` });
};
