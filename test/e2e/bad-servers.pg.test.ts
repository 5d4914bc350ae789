/** Servers that do not let us in, do not answer, or may not do what a run needs: typed, in time, and nothing half-done. */

import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { makePair, type Pair } from '../harness/pair.ts';
import { startTcpProxy } from '../harness/tcp-proxy.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { expectRefusal, type Refusal } from './refusal.ts';
import { withoutHistory } from './server-history.ts';
import { bothStates, type ServerState } from './server-state.ts';

let pair: Pair;
let untouched: ServerState;
beforeAll(async () => {
  pair = await makePair({ tenants: ['acme'], scale: 0.02 });
  expect((await pair.xcrepl(['init', '--region', TARGET_REGION])).exitCode).toBe(0);
  untouched = withoutHistory(await bothStates(pair));
});
afterEach(async () => {
  await pair.useDsn('source', pair.source.dsn);
  await pair.useDsn('target', pair.target.dsn);
  expect(withoutHistory(await bothStates(pair))).toEqual(untouched);
});
afterAll(() => pair[Symbol.asyncDispose]());

const refused = async (args: readonly string[], wanted: Refusal) =>
  expectRefusal(await pair.xcrepl([...args, '-o', 'json']), wanted);

const RUN = ['replication', 'run'] as const;

const changed = (dsn: string, change: (url: URL) => void): string => {
  const url = new URL(dsn);
  change(url);
  return url.href;
};

test.each(['source', 'target'] as const)('a wrong password, user or database of the %s', async (side) => {
  const { dsn, region } = pair[side];
  const wrong: readonly (readonly [code: string, exit: number, dsn: string])[] = [
    ['XC-4001', 4, changed(dsn, (url) => (url.password = 'wr0ng'))],
    ['XC-4001', 4, changed(dsn, (url) => (url.password = ''))],
    ['XC-4001', 4, changed(dsn, (url) => (url.username = 'nobody'))],
    ['XC-1011', 2, changed(dsn, (url) => (url.pathname = '/nowhere'))],
    ['XC-4003', 4, `${dsn}?sslmode=verify-full`],
  ];
  for (const [code, exit, given] of wrong) {
    await pair.useDsn(side, given);
    const error = await refused(RUN, { code, exit, says: [region] });
    expect(JSON.stringify(error)).not.toContain('wr0ng');
    await refused(['replication', 'simulate'], { code, exit });
  }
});

test('a connection that is refused, by every command that needs the server', async () => {
  await pair.useDsn('target', 'postgres://app:secret@127.0.0.1:1/app');
  for (const args of [
    RUN,
    ['replication', 'simulate'],
    ['replication', 'status'],
    ['init', '--region', TARGET_REGION],
    ['uninstall', '--region', TARGET_REGION, '--confirm', TARGET_REGION],
    [
      'replication',
      'drop',
      '--link',
      `shop:acme:${SOURCE_REGION}:${TARGET_REGION}`,
      '--confirm',
      TARGET_REGION,
    ],
  ])
    await refused(args, { code: 'XC-6001', exit: 5, says: [TARGET_REGION, 'ECONNREFUSED'] });
});

/** Accepts, and never says a word. */
const silentServer = async (): Promise<{ readonly dsn: string } & AsyncDisposable> => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    dsn: `postgres://app:secret@127.0.0.1:${(server.address() as AddressInfo).port}/app`,
    async [Symbol.asyncDispose]() {
      sockets.forEach((socket) => socket.destroy());
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

test.each(['source', 'target'] as const)(
  'a %s that accepts and never answers, within --timeout',
  async (side) => {
    await using silent = await silentServer();
    await pair.useDsn(side, silent.dsn);
    for (const args of [RUN, ['replication', 'simulate']]) {
      const startedMs = performance.now();
      await refused([...args, '--timeout', '1s'], { code: 'XC-7001', exit: 10, says: ['--timeout'] });
      // It ends at all: without the limit it would wait ten seconds for each attempt.
      expect(performance.now() - startedMs).toBeLessThan(9_000);
    }
    const checked = await pair.xcrepl(['precheck', '--timeout', '2s', '--dry-run', '-o', 'json']);
    expect(checked.exitCode, checked.stderr).toBe(7);
    expect(checked.json()).toMatchObject({ decision: 'BLOCK' });
  },
);

test('a server that falls silent in the middle of a look', async () => {
  await using proxy = await startTcpProxy({ port: pair.target.port });
  await pair.useDsn('target', proxy.dsn(pair.target.dsn));
  const looking = pair.spawnXcrepl([
    'replication',
    'status',
    '--wait-for',
    'lag<1ms',
    '--timeout',
    '4s',
    '-o',
    'json',
  ]);
  while (proxy.connections === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  proxy.pause();
  const ended = await looking;
  expect(ended.exitCode, ended.stderr).toBe(10);
});
