import { defineConfig } from 'vitest/config';

/** No assertion depends on time passing quickly; these only end what hangs. Milliseconds. */
const UNIT_LIMIT_MS = 60_000;
const SERVER_LIMIT_MS = 300_000;

const BUILD = './test/build-once.ts';

const withServers = {
  pool: 'forks' as const,
  isolate: false,
  globalSetup: [BUILD, './test/servers/global-setup.ts'],
  testTimeout: SERVER_LIMIT_MS,
  hookTimeout: SERVER_LIMIT_MS,
};

export default defineConfig({
  test: {
    reporters: ['default', './test/tally-reporter.ts'],
    // Each starts a pair of servers. One more than the two cores that are counted on: what waits leaves them idle.
    maxWorkers: 3,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{src,fixtures,scripts,bench,test}/**/*.test.ts'],
          exclude: ['**/*.{pg,long}.test.ts', 'test/cli/**'],
          // No test replaces a module, and loading the same ones for each file is half of what these cost.
          isolate: false,
          testTimeout: UNIT_LIMIT_MS,
          hookTimeout: UNIT_LIMIT_MS,
        },
      },
      {
        test: {
          name: 'cli',
          include: ['test/cli/**/*.test.ts'],
          exclude: ['**/*.pg.test.ts'],
          isolate: false,
          globalSetup: [BUILD],
          testTimeout: SERVER_LIMIT_MS,
          hookTimeout: SERVER_LIMIT_MS,
        },
      },
      {
        test: {
          name: 'pg',
          include: ['{src,fixtures,test}/**/*.pg.test.ts'],
          ...withServers,
        },
      },
      {
        // Whole matrices, other versions, other kinds of servers: `npm run test:long`.
        test: { name: 'long', include: ['{src,fixtures,test}/**/*.long.test.ts'], ...withServers },
      },
    ],
  },
});
