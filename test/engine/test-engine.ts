/** An engine between the two databases of a pair, driven step by step without the command line. */

import { parseConfig } from './parse-config.ts';
import type { Pair } from '../harness/pair.ts';
import { migrate } from '../../src/providers/postgres/migrate.ts';
import { readMigrations } from '../../src/providers/postgres/migrations.ts';
import { openEngine } from '../../src/providers/postgres/engine/open.ts';
import type { EngineOptions } from '../../src/providers/postgres/engine/options.ts';
import { connect, disconnect } from '../../src/providers/postgres/connect.ts';
import { readCatalogue } from '../../src/providers/postgres/catalogue/catalogue.ts';
import { wantedPublications } from '../../src/core/plan/publication.ts';
import { tablesOf } from '../../src/core/plan/scope.ts';
import type { CopyTable, PublishTables } from '../../src/core/plan/plan.ts';
import { linksOf, publicationName, slotName, streamsOf, type Stream } from '../../src/core/topology/link.ts';
import { tableName } from '../../src/core/topology/table.ts';
import type { StreamEngine, Streamed } from '../../src/core/replication/engine.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { systemClock } from '../../src/providers/system/clock.ts';

export interface TestEngine extends AsyncDisposable {
  readonly stream: Stream;
  readonly engine: StreamEngine;
  readonly notes: string[];
  /** Publication, slot, copy of every table, streaming to the source's position. */
  readonly copyAndStream: () => Promise<void>;
  readonly publish: () => Promise<void>;
  readonly createSlot: () => Promise<void>;
  readonly copySteps: (chunks?: number) => Promise<CopyTable[]>;
  /** Streams to the source's position of now. */
  readonly catchUp: (signal?: AbortSignal) => Promise<Streamed>;
  /** Streams until the signal. */
  readonly follow: (signal: AbortSignal) => Promise<Streamed>;
}

/** What of a pair an engine is made from: a benchmark has it without the rest. */
export interface EnginePair {
  readonly config: Pair['config'];
  readonly source: Pick<Pair['source'], 'dsn' | 'database'>;
  readonly target: Pick<Pair['target'], 'dsn' | 'database'>;
}

export const streamOf = (pair: EnginePair): Stream => {
  const config = parseConfig(pair.config);
  const databases = { [SOURCE_REGION]: pair.source.database, [TARGET_REGION]: pair.target.database };
  return streamsOf(config.controlPlane, linksOf(config), databases)[0]!;
};

export const initTarget = async (pair: { readonly target: Pick<Pair['target'], 'dsn'> }): Promise<void> => {
  const client = await connect(pair.target.dsn, { subject: TARGET_REGION });
  try {
    await migrate(client, await readMigrations(), TARGET_REGION);
  } finally {
    await disconnect(client);
  }
};

/** What the configuration of an engine's test calls k1. */
export const EXAMPLE_KEY = Buffer.from('an example key of 32 bytes length');

let runs = 0;

export const openTestEngine = async (
  pair: EnginePair,
  more: Partial<EngineOptions> = {},
): Promise<TestEngine> => {
  const stream = more.stream ?? streamOf(pair);
  const notes: string[] = [];
  const engine = openEngine({
    stream,
    controlPlane: parseConfig(pair.config).controlPlane,
    dsn: { source: pair.source.dsn, target: pair.target.dsn },
    hashKeys: new Map([['k1', EXAMPLE_KEY]]),
    run: `rn_test${++runs}`,
    host: 'test',
    pid: process.pid,
    clock: systemClock,
    random: { next: () => 0.5 },
    progress: { copied() {}, streamed() {}, applied() {}, retained() {}, note: (text) => notes.push(text) },
    existing: 'refuse',
    lockTimeoutMs: 0,
    copyWorkers: 2,
    signal: new AbortController().signal,
    ...more,
  });
  const slot = slotName(stream.key);
  const step = { id: 's', stream: stream.key, dependsOn: [] };
  const links = stream.links.map((link) => link.id);
  const catalogue = async () => {
    const client = await connect(pair.source.dsn, { subject: SOURCE_REGION });
    try {
      return await readCatalogue(client);
    } finally {
      await disconnect(client);
    }
  };
  const test: TestEngine = {
    stream,
    engine,
    notes,
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
    async publish() {
      const source = await catalogue();
      const wanted = wantedPublications(new Map(stream.links.map((link) => [link, tablesOf(link, source)])));
      const publishTables: PublishTables = {
        ...step,
        kind: 'publish-tables',
        publication: publicationName(stream.key),
        ...wanted,
      };
      await engine.publishTables(publishTables);
    },
    async createSlot() {
      await engine.createSlot({ ...step, kind: 'create-slot', slot, links, failover: false });
    },
    async copySteps(chunks = 4) {
      const source = await catalogue();
      const carriers = new Map<string, string[]>();
      for (const link of stream.links)
        for (const table of tablesOf(link, source).map(tableName))
          carriers.set(table, [...(carriers.get(table) ?? []), link.id]);
      return [...carriers].map(([table, carrying]) => ({
        ...step,
        kind: 'copy-table',
        slot,
        links: carrying,
        table,
        chunks,
        rows: 0,
        bytes: 0,
        window: null,
      }));
    },
    async copyAndStream() {
      await engine.acquire();
      await test.publish();
      await test.createSlot();
      for (const copy of await test.copySteps()) await engine.copyTable(copy, new AbortController().signal);
      await test.catchUp();
    },
    async catchUp(signal = new AbortController().signal) {
      const until = await engine.sourcePosition();
      return await engine.streamChanges(
        { ...step, kind: 'stream-changes', slot, until: 'source-position-at-start' },
        { until, signal },
      );
    },
    async follow(signal) {
      return await engine.streamChanges(
        { ...step, kind: 'stream-changes', slot, until: 'stopped' },
        { until: null, signal },
      );
    },
  };
  return test;
};
