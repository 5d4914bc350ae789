/** Links of many tenants on one stream, and what an engine is asked of some of them. */

import { expect } from 'vitest';
import type { ConfigInput } from '../../src/core/config/schema.ts';
import type { Streamed } from '../../src/core/replication/engine.ts';
import type { LinkId } from '../../src/core/topology/link.ts';
import type { Pair } from '../harness/pair.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import type { TestEngine } from './test-engine.ts';

export const tenantNames = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `t${String(at + 1).padStart(2, '0')}`);

/** Tenants by a column, all under one rule over app.*. */
export const manyTenants =
  (names: readonly string[]) =>
  (config: ConfigInput): ConfigInput => ({
    ...config,
    tenants: Object.fromEntries(
      names.map((name) => [name, { scope: { kind: 'column' as const, column: 'tenant', value: name } }]),
    ),
    rules: [{ id: 'app', tenants: [...names], tables: ['app.*'], from: SOURCE_REGION, to: [TARGET_REGION] }],
  });

export const linkOf = (tenant: string, rule = 'app'): LinkId =>
  `${rule}:${tenant}:${SOURCE_REGION}:${TARGET_REGION}`;

export interface LinkRow {
  readonly tenant: string;
  readonly state: string;
  readonly slot: string;
  readonly why: string | null;
}

/** Links that are on no common slot, or not streaming. */
export const apart = async (pair: Pair): Promise<LinkRow[]> =>
  await pair.target.query<LinkRow & Record<string, unknown>>(
    `SELECT tenant, state, slot, detail ->> 'why' AS why FROM xcrepl.links
      WHERE state <> 'streaming' OR slot NOT LIKE 'xcrepl\\_s\\_%' ORDER BY tenant`,
  );

/** Slots at the source, and origins and checkpoints at the target: each slot has one of each. */
export const slotsOf = async (pair: Pair): Promise<string[]> => {
  const names = async (side: 'source' | 'target', sql: string): Promise<string[]> =>
    (await pair[side].query<{ name: string }>(sql)).map(({ name }) => name);
  const slots = await names(
    'source',
    'SELECT slot_name::text AS name FROM pg_replication_slots WHERE database = current_database() ORDER BY 1',
  );
  expect(await names('target', 'SELECT slot AS name FROM xcrepl.checkpoints ORDER BY 1')).toEqual(slots);
  return slots;
};

/** Tenants whose rows differ between the two sides. */
export const differing = async (
  pair: Pair,
  names: readonly string[],
  table = 'app.items',
): Promise<string[]> => {
  const read = async (side: 'source' | 'target'): Promise<Map<string, string>> => {
    const rows = await pair[side].query<{ tenant: string; digest: string }>(
      `SELECT tenant, count(*) || ' ' || md5(string_agg(t::text, ',' ORDER BY t::text)) AS digest FROM ${table} AS t GROUP BY 1`,
    );
    return new Map(rows.map(({ tenant, digest }) => [tenant, digest]));
  };
  const [source, target] = [await read('source'), await read('target')];
  return names.filter((name) => source.get(name) !== target.get(name));
};

/** Streams a slot to where the source is now. */
export const streamSlot = async ({ engine, stream }: TestEngine, slot: string): Promise<Streamed> => {
  const until = await engine.sourcePosition();
  return await engine.streamChanges(
    {
      id: 's',
      kind: 'stream-changes',
      stream: stream.key,
      dependsOn: [],
      slot,
      until: 'source-position-at-start',
    },
    { until, signal: new AbortController().signal },
  );
};

export const mergeSlot = async (
  { engine, stream }: TestEngine,
  slot: string,
  links: readonly LinkId[],
): Promise<number> =>
  (
    await engine.mergeLinks(
      { id: 's', kind: 'merge-links', stream: stream.key, dependsOn: [], slot, links },
      new AbortController().signal,
    )
  ).links;
