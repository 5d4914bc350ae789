import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { objectStoreContract } from '../../core/objects/object-store.contract.ts';
import { LocalStore } from './local-store.ts';

objectStoreContract('a directory', async () => {
  const root = await mkdtemp(join(tmpdir(), 'xcrepl-store-'));
  return {
    store: new LocalStore(join(root, 'one'), Date.now),
    beside: new LocalStore(join(root, 'other'), Date.now),
  };
});
