/** Chance: the machine's own, or a seeded one that repeats. */

import type { Random } from '../../core/time/clock.ts';

export const systemRandom: Random = { next: () => Math.random() };
