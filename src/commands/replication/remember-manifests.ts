/** Signed manifests that a run lets take effect are remembered: in this directory, and by every target of the run. */

import { toRemember } from '../../core/policy/manifest-memory.ts';
import { connect, disconnect } from '../../providers/postgres/connect.ts';
import { rememberManifests } from '../../providers/postgres/manifests.ts';
import type { Host } from '../frame/host.ts';
import { rememberVersions } from '../policy/known-versions.ts';
import type { Selected } from './selection.ts';

export const rememberOnTargets = async (
  host: Host,
  { loaded, dsns, streams }: Pick<Selected, 'loaded' | 'dsns' | 'streams'>,
): Promise<void> => {
  const manifests = toRemember(loaded.config.controlPlane, loaded.manifests);
  if (manifests.length === 0) return;
  const targets = new Map(streams.map(({ target }) => [`${target.region}/${target.database}`, target]));
  for (const { region, database } of targets.values()) {
    const client = await connect(dsns.get(region) ?? '', { subject: region, database, signal: host.signal });
    try {
      await rememberManifests(client, manifests);
    } finally {
      await disconnect(client);
    }
  }
  await rememberVersions(host.cwd, loaded.manifests ?? []);
};
