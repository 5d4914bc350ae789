import { BlobServiceClient, StorageSharedKeyCredential } from '@azure/storage-blob';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe } from 'vitest';
import { type AzuriteServer, startAzurite } from '../../../test/servers/azurite.ts';
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
});
