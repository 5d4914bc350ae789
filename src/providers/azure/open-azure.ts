/** A store of Azure Blob Storage as the configuration describes it. */

import { XcError } from '../../core/errors/xc-error.ts';
import type { ObjectStore } from '../../core/objects/object-store.ts';
import { type ConfigOf, dereferenced, prefixFor, type StoreParts } from '../../core/objects/store-place.ts';
import type { AzureAddress } from './azure-place.ts';
import { AzureStore } from './azure-store.ts';
import { type ConnectionString, connectionIn } from './connection-string.ts';

type AzureConfig = ConfigOf<'azure'>;

/** @throws XcError XC-1005, XC-1060 */
export const openAzure = async (
  config: AzureConfig,
  tenant: string | null,
  parts: StoreParts,
): Promise<ObjectStore> =>
  await AzureStore.open(await azureAddress(config, tenant, parts), parts.clock, parts.signal);

export const azureAddress = async (
  config: AzureConfig,
  tenant: string | null,
  parts: StoreParts,
): Promise<AzureAddress> => {
  const own = tenant === null ? undefined : config.tenants?.[tenant];
  const access = await accessTo(config, parts);
  const given = await dereferenced(config.endpoint, parts);
  const account = config.account ?? access.account;
  const endpoint =
    given ?? access.endpoint ?? (account && `https://${account}.blob.core.windows.net`) ?? missing(config);
  return {
    container: own?.container ?? config.container,
    prefix: prefixFor(config, tenant),
    endpoint: access.sas === undefined ? endpoint : withToken(endpoint, access.sas),
    credentials:
      access.key === undefined ? undefined : { account: account ?? accountIn(endpoint), key: access.key },
    storageClass: config.storageClass,
    encryptionScope: config.encryptionScope,
  };
};

const accessTo = async ({ credentials }: AzureConfig, { secret }: StoreParts): Promise<ConnectionString> => {
  if (!credentials) return {};
  if ('accountKey' in credentials) return { key: await secret(credentials.accountKey) };
  if ('sas' in credentials) return { sas: await secret(credentials.sas) };
  return connectionIn(await secret(credentials.connectionString), credentials.connectionString);
};

const withToken = (endpoint: string, token: string): string => `${endpoint}?${token.replace(/^\?/, '')}`;

/** The first label of the service's own host name; a server of one's own has it as the first part of the path. */
const accountIn = (endpoint: string): string => {
  const { hostname, pathname } = new URL(endpoint);
  return hostname.includes('.blob.') ? (hostname.split('.')[0] ?? '') : (pathname.split('/')[1] ?? '');
};

const missing = ({ container }: AzureConfig): never => {
  const why = 'neither account, nor endpoint, nor a connection string says where it is';
  throw new XcError('XC-1060', { subject: `azure:${container}`, why });
};
