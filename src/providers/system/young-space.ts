/**
 * Room for young objects. V8 takes up to 128 MiB for them on a machine with much memory, whatever is alive, which is more
 * than everything else that a stream needs. Its own limit can only be given where a process starts; how the room grows
 * can be told at any time, and so it grows until it is enough.
 */

import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Of both halves. With less, objects of a batch that is being built are taken for old ones (docs/benchmarks.md). */
const ENOUGH_BYTES = 16 * 2 ** 20;

/**
 * For processes that run for long. V8 doubles the room after collections that leave much alive; it is looked at once after each
 * of them, so that it ends at up to twice what is enough.
 */
export const boundYoungSpace = (): void => {
  const watch = new PerformanceObserver(() => {
    if (youngBytes() < ENOUGH_BYTES) return;
    setFlagsFromString('--semi-space-growth-factor=1');
    watch.disconnect();
  });
  watch.observe({ entryTypes: ['gc'] });
};

const youngBytes = (): number =>
  getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0;
