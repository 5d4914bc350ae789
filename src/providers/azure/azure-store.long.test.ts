import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe } from 'vitest';
import { type AzuriteServer, startAzurite } from '../../../test/servers/azurite.ts';
import { storeFaultsContract } from '../../../test/objects/store-faults.contract.ts';
import { objectStoreContract } from '../../core/objects/object-store.contract.ts';
import { systemClock } from '../system/clock.ts';
import { AzureStore } from './azure-store.ts';

describe('Azure against Azurite', () => {
  let server: AzuriteServer;
  beforeAll(async () => {
    server = await startAzurite();
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });

  objectStoreContract(
    'Azure',
    async () => {
      const container = `c-${randomUUID()}`;
      const key = new StorageSharedKeyCredential(server.credentials.account, server.credentials.key);
      await new BlobServiceClient(server.endpoint, key).createContainer(container);
      const address = {
        endpoint: server.endpoint,
        container,
        credentials: server.credentials,
        storageClass: undefined,
        encryptionScope: undefined,
      };
      return {
        store: await AzureStore.open({ ...address, prefix: '' }, systemClock),
        beside: await AzureStore.open({ ...address, prefix: 'beside/' }, systemClock),
      };
    },
    { refuses: /(^|\/)\.{1,2}(\/|$)|\/\/|^\/|\/$|\\|[\n\t\uffff]/ },
  );

  storeFaultsContract('Azure', async () => {
    const container = `c-${randomUUID()}`;
    const { account, key } = server.credentials;
    const credential = new StorageSharedKeyCredential(account, key);
    await new BlobServiceClient(server.endpoint, credential).createContainer(container);
    const { port: real } = new URL(server.endpoint);
    const wrong = { account, key: Buffer.alloc(64).toString('base64') };
    return {
      port: Number(real),
      checksSignatures: true,
      // Azurite's InvalidOperation; the service itself says Md5Mismatch.
      namesDamage: false,
      checksTime: false,
      open: async ({ port, clock, signal, wrongKey }) =>
        await AzureStore.open(
          {
            endpoint: server.endpoint.replace(`:${real}/`, `:${port}/`),
            container,
            prefix: '',
            credentials: wrongKey === true ? wrong : server.credentials,
            storageClass: undefined,
            encryptionScope: undefined,
          },
          clock,
          signal,
        ),
      // Blocks that wait belong to no upload that the service knows of: see azure-parts.ts.
      leftovers: null,
    };
  });
});
