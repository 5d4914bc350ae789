import { objectStoreContract } from '../../core/objects/object-store.contract.ts';
import { MemoryStore } from './memory-store.ts';
import { systemClock } from '../system/clock.ts';

objectStoreContract(
  'memory',
  () => Promise.resolve({ store: new MemoryStore(systemClock), beside: new MemoryStore(systemClock) }),
  { largestBytes: 40 * 1024 * 1024 },
);
