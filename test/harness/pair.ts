/**
 * Two real PostgreSQL databases on two servers, as two regions, with a configuration of their own:
 *
 *   import { makePair, withPair } from '../../test/harness/pair.ts';
 *
 *   test('copies one tenant', async () => {
 *     await using pair = await makePair({ tenants: ['acme', 'globex'] });
 *     await pair.source.query('UPDATE shop.customers SET email = $1 WHERE tenant_id = $2', ['x@example.org', 'acme']);
 *     const run = await pair.xcrepl(['replication', 'run', '--once', '--tenant', 'acme', '-o', 'json']);
 *     expect(run.exitCode, run.stderr).toBe(0);
 *     expect(await digests(pair.target, shopTables, "tenant_id = 'acme'"))
 *       .toEqual(await digests(pair.source, shopTables, "tenant_id = 'acme'"));
 *   });
 *
 * The source holds the shop (fixtures/shop) with rows of the tenants, the target its tables without rows. Other starts:
 * `{ fixture: 'empty', sql: 'CREATE TABLE …' }` (the same statements on both sides), `{ pg: 15 }`, and
 * `{ private: true }` for servers that the test kills: `await pair.control.target.kill()`, then `.start()`.
 */

import type { ConfigInput } from '../../src/core/config/schema.ts';
import { fillShop } from '../../fixtures/shop/fill.ts';
import { shopRules, shopTenants } from '../../fixtures/shop/config.ts';
import { shopSchemaSql } from '../../fixtures/shop/schema.ts';
import {
  privateServers,
  sharedServers,
  SOURCE_REGION,
  TARGET_REGION,
  type PairServer,
  type ServerPair,
} from '../servers/server-pair.ts';
import { baseConfig, makePairFiles } from './pair-files.ts';
import { noControl, serverControl, type ServerControl } from './server-control.ts';
import { cloneTemplate, dropDatabase, type Template } from './template.ts';
import { openDatabase, withDatabase, type TestDatabase } from './test-database.ts';
import { runXcrepl, spawnXcrepl, type RunOptions, type RunResult } from './xcrepl-process.ts';

type PgMajor = 15 | 18;

export interface PairOptions {
  readonly fixture?: 'shop' | 'empty';
  /** Tenants of the shop that have rows and stand in the configuration. Default acme and globex. */
  readonly tenants?: readonly string[];
  /** See fixtures/shop/fill.ts; default 0.1, some hundred rows a tenant. */
  readonly scale?: number;
  readonly seed?: number;
  /** Run on both sides after the fixture; part of the template, so keep it the same between tests that share it. */
  readonly sql?: string;
  /** Major version of both servers, or of each; default 18. */
  readonly pg?: PgMajor | { readonly source: PgMajor; readonly target: PgMajor };
  /** Servers for this pair alone, which `control` may kill. They take some seconds to start. */
  readonly private?: boolean;
  /** Servers that the caller keeps, and that `control` may kill; the pair's databases are dropped with it. */
  readonly servers?: Pick<ServerPair, 'source' | 'target'>;
  /** Changes the configuration before it is written. */
  readonly config?: (config: ConfigInput) => ConfigInput;
}

export interface Pair extends AsyncDisposable {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  /** Working directory of `xcrepl`: configuration, state and reports. Removed with the pair. */
  readonly directory: string;
  readonly configPath: string;
  readonly config: ConfigInput;
  /** Writes the configuration again, changed. */
  configure(change: (config: ConfigInput) => ConfigInput): Promise<void>;
  /** Lets xcrepl reach a region by another DSN, for instance a proxy's. */
  useDsn(side: 'source' | 'target', dsn: string): Promise<void>;
  readonly control: { readonly source: ServerControl; readonly target: ServerControl };
  xcrepl(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  spawnXcrepl(args: readonly string[], options?: RunOptions): ReturnType<typeof spawnXcrepl>;
}

const DEFAULTS = { tenants: ['acme', 'globex'], scale: 0.1, seed: 1 } as const;

export const withPair = async <T>(options: PairOptions, work: (pair: Pair) => Promise<T>): Promise<T> => {
  await using pair = await makePair(options);
  return await work(pair);
};

export const makePair = async (options: PairOptions = {}): Promise<Pair> => {
  const held = new AsyncDisposableStack();
  try {
    return await assemble(options, held);
  } catch (error) {
    await held.disposeAsync();
    throw error;
  }
};

const assemble = async (options: PairOptions, held: AsyncDisposableStack): Promise<Pair> => {
  const servers = await serversFor(options, held);
  const files = held.use(await makePairFiles());
  const [source, target] = await Promise.all([
    makeDatabase(servers.source, sourceTemplate(options), held),
    makeDatabase(servers.target, targetTemplate(options), held),
  ]);
  await files.writeDsn(SOURCE_REGION, source.dsn);
  await files.writeDsn(TARGET_REGION, target.dsn);
  let config = withTenants(baseConfig(files.directory), options);
  config = options.config?.(config) ?? config;
  await files.writeConfig(config);
  const inDirectory = (given: RunOptions = {}): RunOptions => ({ cwd: files.directory, ...given });
  return {
    source,
    target,
    directory: files.directory,
    configPath: files.configPath,
    get config() {
      return config;
    },
    async configure(change) {
      config = change(config);
      await files.writeConfig(config);
    },
    useDsn: (side, dsn) => files.writeDsn(side === 'source' ? SOURCE_REGION : TARGET_REGION, dsn),
    control:
      options.private === true || options.servers !== undefined
        ? { source: serverControl(servers.source), target: serverControl(servers.target) }
        : { source: noControl, target: noControl },
    xcrepl: (args, given) => runXcrepl(args, inDirectory(given)),
    spawnXcrepl: (args, given) => spawnXcrepl(args, inDirectory(given)),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
};

/** Of different versions: the source of one pair and the target of another. */
const serversFor = async (
  { pg = 18, private: isPrivate = false, servers }: PairOptions,
  held: AsyncDisposableStack,
): Promise<Pick<ServerPair, 'source' | 'target'>> => {
  if (servers) return servers;
  const pairOf = async (major: PgMajor): Promise<ServerPair> =>
    isPrivate ? held.use(await privateServers(major)) : await sharedServers(major);
  if (typeof pg === 'number') return pairOf(pg);
  const [{ source }, { target }] = await Promise.all([pairOf(pg.source), pairOf(pg.target)]);
  return { source, target };
};

/** Databases of pairs that are in use now, by server: origins may be removed when the last one goes. */
const inUse = new Map<string, number>();

const makeDatabase = async (
  server: PairServer,
  template: Template,
  held: AsyncDisposableStack,
): Promise<TestDatabase> => {
  const name = await cloneTemplate(server, template);
  const opened = openDatabase(server.region.name, withDatabase(server.dsn, name));
  inUse.set(server.dsn, (inUse.get(server.dsn) ?? 0) + 1);
  held.defer(async () => {
    await opened.close();
    const left = (inUse.get(server.dsn) ?? 1) - 1;
    inUse.set(server.dsn, left);
    // A private server goes as a whole, and may be dead by now.
    if (server.lab.durable) return;
    await dropDatabase(server, name, { origins: left === 0 });
  });
  return opened;
};

const sourceTemplate = ({ fixture = 'shop', sql = '', ...options }: PairOptions): Template => {
  const { tenants = DEFAULTS.tenants, scale = DEFAULTS.scale, seed = DEFAULTS.seed } = options;
  const shop = { tenants, scale, seed };
  return {
    key: JSON.stringify(['source', fixture, sql, fixture === 'shop' && [shopSchemaSql, shop]]),
    async fill(client) {
      if (fixture === 'shop') {
        await client.query(shopSchemaSql);
        await fillShop(client, shop);
      }
      if (sql !== '') await client.query(sql);
    },
  };
};

const targetTemplate = ({ fixture = 'shop', sql = '' }: PairOptions): Template => ({
  key: JSON.stringify(['target', fixture, sql, fixture === 'shop' && shopSchemaSql]),
  async fill(client) {
    if (fixture === 'shop') await client.query(shopSchemaSql);
    if (sql !== '') await client.query(sql);
  },
});

const withTenants = (
  config: ConfigInput,
  { fixture = 'shop', tenants = DEFAULTS.tenants }: PairOptions,
): ConfigInput =>
  fixture === 'shop'
    ? {
        ...config,
        tenants: shopTenants(tenants),
        rules: shopRules({ tenants, from: SOURCE_REGION, to: [TARGET_REGION] }),
      }
    : config;
