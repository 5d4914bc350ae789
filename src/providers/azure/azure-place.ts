/** A container, a prefix and a client: what every request of a store begins with. */

import {
  type BlockBlobClient,
  BlobServiceClient,
  type ContainerClient,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import type { Clock } from '../../core/time/clock.ts';
import { nameFor } from '../../core/objects/keys.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { storePatience } from '../../core/objects/patience.ts';
import { type Requests, requestsOf } from '../../core/objects/requests.ts';
import { explainAzure } from './azure-errors.ts';

export interface AzureAddress {
  /** The account's: `https://ACCOUNT.blob.core.windows.net`, or with a SAS token behind it. */
  readonly endpoint: string;
  readonly container: string;
  /** Before every key; empty for none. */
  readonly prefix: string;
  /** Undefined for a SAS token, or for the SDK's own chain: environment, workload identity, az login. */
  readonly credentials: { readonly account: string; readonly key: string } | undefined;
  readonly storageClass: string | undefined;
  /** Names the key of new blobs; undefined for the container's own. */
  readonly encryptionScope: string | undefined;
}

const SILENCE_MS = 60_000;

/** "Naming and referencing containers, blobs, and metadata": what Azure normalises away, or refuses. */
const NO_BLOB_NAME = /(^|\/)\.{1,2}(\/|$)|\/\/|^\/|[./]$|\.\/|\\|\p{Cc}|[\ufffe\uffff]/u;

const service = async (address: AzureAddress): Promise<BlobServiceClient> => {
  const options = {
    // Requests are asked again in one place, with one patience.
    retryOptions: { maxTries: 1, tryTimeoutInMs: SILENCE_MS },
  };
  const { endpoint, credentials } = address;
  if (credentials !== undefined) {
    const key = new StorageSharedKeyCredential(credentials.account, credentials.key);
    return new BlobServiceClient(endpoint, key, options);
  }
  if (new URL(endpoint).searchParams.has('sig')) return new BlobServiceClient(endpoint, undefined, options);
  const { DefaultAzureCredential } = await import('@azure/identity');
  return new BlobServiceClient(endpoint, new DefaultAzureCredential(), options);
};

export class AzurePlace {
  readonly container: ContainerClient;
  readonly address: AzureAddress;
  readonly clock: Clock;
  readonly name: string;
  readonly requests: Requests;
  readonly told: Requests['told'];

  private constructor(
    container: ContainerClient,
    address: AzureAddress,
    clock: Clock,
    signal: AbortSignal | undefined,
  ) {
    this.container = container;
    this.address = address;
    this.clock = clock;
    this.name = `azure:${address.container}${address.prefix === '' ? '' : `/${address.prefix}`}`;
    this.requests = requestsOf(this.name, storePatience(clock, signal), explainAzure);
    this.told = this.requests.told;
  }

  static async open(address: AzureAddress, clock: Clock, signal?: AbortSignal): Promise<AzurePlace> {
    const client = await service(address);
    return new AzurePlace(client.getContainerClient(address.container), address, clock, signal);
  }

  blob(key: string): BlockBlobClient {
    return this.container.getBlockBlobClient(this.address.prefix + key);
  }

  /** A key that the service would change on its way is none: XC-5404. */
  checkName(key: string): void {
    nameFor(this.name, key);
    if (!NO_BLOB_NAME.test(key)) return;
    const why = 'Azure keeps no empty, dotted or backslashed part of a name, and no control character';
    throw new XcError('XC-5404', { subject: `${this.name} ${JSON.stringify(key)}`, why });
  }

  /** What a new blob, and every block of it, is stored with. */
  encryption(): { encryptionScope?: string } {
    const { encryptionScope } = this.address;
    return encryptionScope === undefined ? {} : { encryptionScope };
  }
}
