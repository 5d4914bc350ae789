import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe } from 'vitest';
import { type GcsEmulator, startGcsEmulator } from '../../../test/servers/gcs-emulator.ts';
import { storeFaultsContract } from '../../../test/objects/store-faults.contract.ts';
import { objectStoreContract } from '../../core/objects/object-store.contract.ts';
import { systemClock } from '../system/clock.ts';
import { GcsStore } from './gcs-store.ts';

describe('Cloud Storage against our emulator', () => {
  let server: GcsEmulator;
  beforeAll(async () => {
    server = await startGcsEmulator();
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });

  objectStoreContract(
    'GCS',
    () => {
      const bucket = `b-${randomUUID()}`;
      server.makeBucket(bucket);
      const address = {
        bucket,
        endpoint: server.endpoint,
        credentials: undefined,
        storageClass: undefined,
        kmsKeyName: undefined,
      };
      return Promise.resolve({
        store: new GcsStore({ ...address, prefix: '' }, systemClock),
        beside: new GcsStore({ ...address, prefix: 'beside/' }, systemClock),
      });
    },
    { refuses: /\n/, manyKeys: 2_100 },
  );

  storeFaultsContract('GCS', () => {
    const bucket = `b-${randomUUID()}`;
    server.makeBucket(bucket);
    const { port: real } = new URL(server.endpoint);
    const address = {
      bucket,
      prefix: '',
      credentials: undefined,
      storageClass: undefined,
      kmsKeyName: undefined,
    };
    return Promise.resolve({
      port: Number(real),
      checksSignatures: false,
      namesDamage: false,
      checksTime: false,
      open: ({ port, clock, signal }) =>
        Promise.resolve(new GcsStore({ ...address, endpoint: `http://127.0.0.1:${port}` }, clock, signal)),
      leftovers: () => Promise.resolve(server.namesIn(bucket).filter((name) => name.startsWith('.xcrepl-'))),
    });
  });
});
