/** A process that makes and keeps many small objects. Prints the room that V8 has for young ones afterwards, in bytes. */

import { setImmediate } from 'node:timers/promises';
import { getHeapSpaceStatistics } from 'node:v8';
import { boundYoungSpace } from './young-space.ts';

boundYoungSpace();
const kept: { readonly list: readonly number[] }[] = [];
for (let made = 0; made < 1_000_000; made++) {
  kept[made] = { list: [made] };
  if (made % 10_000 === 0) await setImmediate();
}
const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
process.stdout.write(String(kept.length > 0 ? young?.space_size : 0));
