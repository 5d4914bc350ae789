/** Signed manifests as a target remembers them: only newer versions are written. */

import type { Client } from 'pg';
import type { RememberedManifest } from '../../core/policy/manifest-memory.ts';

export const rememberManifests = async (
  client: Client,
  manifests: readonly RememberedManifest[],
): Promise<void> => {
  for (const { controlPlane, name, version, digest, speaksOf } of manifests)
    await client.query(
      `INSERT INTO xcrepl.manifests AS m (control_plane, name, version, digest, speaks_of) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (control_plane, name) DO UPDATE
         SET version = excluded.version, digest = excluded.digest, speaks_of = excluded.speaks_of, since = clock_timestamp()
       WHERE m.version < excluded.version`,
      [controlPlane, name, version, digest, speaksOf],
    );
};
