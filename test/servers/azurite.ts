/** A real server for Azure's blob protocol on loopback: Azurite, which Microsoft keeps. Everything stays in its memory. */

import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startGuarded, untilAnswering } from './guarded-process.ts';

export interface AzuriteServer extends AsyncDisposable {
  readonly endpoint: string;
  readonly credentials: { readonly account: string; readonly key: string };
}

export const startAzurite = async (): Promise<AzuriteServer> => {
  const directory = await mkdtemp(join(tmpdir(), 'xcrepl-azurite-'));
  const port = await freePort();
  const credentials = { account: 'xcrepltest', key: randomBytes(64).toString('base64') };
  const program = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js');
  const flags = ['--inMemoryPersistence', '--skipApiVersionCheck', '--disableTelemetry', '--silent'];
  const address = ['--blobHost', '127.0.0.1', '--blobPort', String(port)];
  const server = startGuarded(
    process.execPath,
    [program, ...flags, ...address],
    join(directory, 'azurite.log'),
    { AZURITE_ACCOUNTS: `${credentials.account}:${credentials.key}` },
  );
  await untilAnswering(port, server);
  return {
    endpoint: `http://127.0.0.1:${port}/${credentials.account}`,
    credentials,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
};
