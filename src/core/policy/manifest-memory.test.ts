/** What a target remembers of manifests, against what is in force. */

import { expect, it } from 'vitest';
import type { LoadedConfig, ManifestInForce } from '../config/loaded.ts';
import { config } from '../plan/facts.fixture.ts';
import { refuseForgotten, toRemember } from './manifest-memory.ts';

const manifest = (version: number, more: Partial<ManifestInForce> = {}): ManifestInForce => ({
  id: 'tenant/acme',
  name: 'tenant manifest acme',
  file: 'acme.yaml',
  tenant: 'acme',
  speaksOf: ['tenant acme'],
  version,
  digest: `sha256:${version}`,
  signedBy: 'alice',
  problem: null,
  scopes: [],
  approved: false,
  ...more,
});

const PLANE = config().controlPlane;
const known = (version: number, of = PLANE) => toRemember(of, [manifest(version)]);
const refused = (
  manifests: readonly ManifestInForce[],
  remembered = known(2),
  more: Partial<LoadedConfig> = {},
): string | null => {
  try {
    refuseForgotten({ config: config(), mode: 'live', manifests, ...more }, remembered, 'eu');
    return null;
  } catch (error) {
    return (error as { code: string }).code;
  }
};

it.each<[string, string | null, string | null]>([
  ['the same version', refused([manifest(2)]), null],
  ['a newer one', refused([manifest(3)]), null],
  ['an older one', refused([manifest(1)]), 'XC-2039'],
  ['the same version with another content', refused([manifest(2, { digest: 'sha256:x' })]), 'XC-2039'],
  ['one of another control plane', refused([], known(2, 'other')), null],
  ['none, and the file speaks of the tenant', refused([]), 'XC-2060'],
  [
    'one without a signature, in simulation',
    refused([manifest(1, { signedBy: null })], known(2), { mode: 'simulation' }),
    null,
  ],
  [
    'none, and nothing speaks of the tenant',
    refused([], [{ ...known(2)[0]!, speaksOf: ['tenant gone'] }]),
    null,
  ],
  [
    'another manifest that speaks of the same',
    refused([manifest(1, { id: 'replication/other' })], known(2)),
    null,
  ],
])('with %s', (_what, found, wanted) => {
  expect(found).toBe(wanted);
});

it('remembers what is signed alone', () => {
  expect(toRemember(PLANE, [manifest(1, { signedBy: null })])).toEqual([]);
  expect(toRemember(PLANE, undefined)).toEqual([]);
});
