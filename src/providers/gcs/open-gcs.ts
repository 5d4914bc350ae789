/** A store of Google Cloud Storage as the configuration describes it. */

import * as z from 'zod/mini';
import { XcError } from '../../core/errors/xc-error.ts';
import type { ObjectStore } from '../../core/objects/object-store.ts';
import { type ConfigOf, dereferenced, prefixFor, type StoreParts } from '../../core/objects/store-place.ts';
import type { GcsAddress } from './gcs-place.ts';
import { GcsStore } from './gcs-store.ts';

type GcsConfig = ConfigOf<'gcs'>;

/** @throws XcError XC-1005, XC-1060 */
export const openGcs = async (
  config: GcsConfig,
  tenant: string | null,
  parts: StoreParts,
): Promise<ObjectStore> => new GcsStore(await gcsAddress(config, tenant, parts), parts.clock, parts.signal);

export const gcsAddress = async (
  config: GcsConfig,
  tenant: string | null,
  parts: StoreParts,
): Promise<GcsAddress> => {
  const own = tenant === null ? undefined : config.tenants?.[tenant];
  return {
    bucket: own?.bucket ?? config.bucket,
    prefix: prefixFor(config, tenant),
    endpoint: await dereferenced(config.endpoint, parts),
    credentials: config.credentials && (await keyIn(config.credentials.keyFile, parts)),
    storageClass: config.storageClass,
    kmsKeyName: config.kmsKey,
  };
};

/** Google Cloud, "Create and delete service account keys": the file has more fields, which the client does not need. */
const keyFile = z.object({ client_email: z.string(), private_key: z.string() });

const keyIn = async (
  reference: string,
  { secret }: StoreParts,
): Promise<NonNullable<GcsAddress['credentials']>> => {
  const text = await secret(reference);
  const found = keyFile.safeParse(asJson(text));
  if (found.success) return found.data;
  const why = 'it is no service account key in JSON with client_email and private_key';
  throw new XcError('XC-1060', { subject: reference, why });
};

const asJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};
