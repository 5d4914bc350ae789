import { expect, test } from 'vitest';
import { runCycles } from './cycles.ts';

// Ten times as many by hand: npm run test:seeds -- --only cycles.
test('starts and ends, however they come, leave nothing on the servers and in the process', async () => {
  expect(await runCycles({ seed: 1, cycles: 20, killed: 1 })).toContain('1 killedProcess');
});
