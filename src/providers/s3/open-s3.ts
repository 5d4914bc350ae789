/** A store of S3 as the configuration describes it. */

import type { ObjectStore } from '../../core/objects/object-store.ts';
import { type ConfigOf, dereferenced, prefixFor, type StoreParts } from '../../core/objects/store-place.ts';
import type { S3Address } from './s3-place.ts';
import { S3Store } from './s3-store.ts';

type S3Config = ConfigOf<'s3'>;

/** @throws XcError XC-1005 */
export const openS3 = async (
  config: S3Config,
  tenant: string | null,
  parts: StoreParts,
): Promise<ObjectStore> => new S3Store(await s3Address(config, tenant, parts), parts.clock, parts.signal);

export const s3Address = async (
  config: S3Config,
  tenant: string | null,
  parts: StoreParts,
): Promise<S3Address> => {
  const endpoint = await dereferenced(config.endpoint, parts);
  const own = tenant === null ? undefined : config.tenants?.[tenant];
  return {
    bucket: own?.bucket ?? config.bucket,
    prefix: prefixFor(config, tenant),
    endpoint,
    region: config.region,
    credentials: await credentialsOf(config, parts),
    forcePathStyle: config.forcePathStyle ?? endpoint !== undefined,
    checksums: config.checksums ?? (endpoint === undefined ? 'when-supported' : 'when-required'),
    storageClass: config.storageClass,
    encryption: encryptionOf(config),
  };
};

const credentialsOf = async (
  { credentials }: S3Config,
  { secret }: StoreParts,
): Promise<S3Address['credentials']> => {
  if (!credentials) return undefined;
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  return {
    accessKeyId: await secret(accessKeyId),
    secretAccessKey: await secret(secretAccessKey),
    ...(sessionToken === undefined ? {} : { sessionToken: await secret(sessionToken) }),
  };
};

const encryptionOf = ({ encryption }: S3Config): S3Address['encryption'] => {
  if (encryption?.kind !== 'kms') return encryption;
  return { kind: 'kms', ...(encryption.keyId === undefined ? {} : { keyId: encryption.keyId }) };
};
