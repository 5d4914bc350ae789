/** All streamed scenarios at once: their tables lie beside each other in one stream, as an application's do. */

import { isDeepStrictEqual } from 'node:util';
import type { ConfigInput } from '../../src/core/config/schema.ts';
import { wholeSchema } from '../engine/whole-schema.ts';
import { initTarget, openTestEngine } from '../engine/test-engine.ts';
import { makePair, type Pair } from '../harness/pair.ts';
import { tableDigest } from '../harness/table-digest.ts';
import type { Scenario, Streamed } from './scenario.ts';

/** What differed, by the scenario's name; every scenario has an entry. */
export type Outcomes = ReadonlyMap<string, readonly string[]>;

export type StreamedScenario = Scenario & { readonly shown: Streamed };

export const runStage = async (scenarios: readonly StreamedScenario[]): Promise<Outcomes> => {
  const outcomes = new Map<string, string[]>(scenarios.map(({ name }) => [name, []]));
  await using pair = await makePair({ fixture: 'empty', sql: 'CREATE SCHEMA app', config: leavingOut });
  await initTarget(pair);
  for (const { shown } of scenarios) {
    await pair.source.query(shown.schema);
    await pair.target.query(shown.target ?? shown.schema);
    if (shown.before) await pair.source.query(shown.before);
  }
  const compare = async (when: string): Promise<void> => {
    for (const { name, shown } of scenarios)
      outcomes.get(name)!.push(...(await different(pair, shown, when)));
  };
  await using engine = await openTestEngine(pair);
  await engine.copyAndStream();
  await compare('after the copy');
  for (const { name, shown } of scenarios)
    for (const change of shown.changes)
      await pair.source.query(change).catch((error: unknown) => {
        throw new Error(`${name}: ${change}`, { cause: error });
      });
  await engine.catchUp();
  await compare('after the changes');
  for (const { name, shown } of scenarios)
    if (shown.gives) outcomes.get(name)!.push(...(await otherwise(pair, shown.gives)));
  return outcomes;
};

/** Everything of the schema but tables of that ending. */
const leavingOut = (config: ConfigInput): ConfigInput => {
  const whole = wholeSchema(config);
  const rules = whole.rules!.map((rule) => ({ ...rule, tables: [...rule.tables!, '!app.*_left_out'] }));
  return { ...whole, rules };
};

const otherwise = async (pair: Pair, { query, rows }: NonNullable<Streamed['gives']>): Promise<string[]> => {
  const found = await pair.target.query(query);
  return isDeepStrictEqual(found, rows) ? [] : [`${query} gives ${JSON.stringify(found)}`];
};

const different = async (pair: Pair, { tables }: Streamed, when: string): Promise<string[]> => {
  const found: string[] = [];
  for (const [table, columns] of Object.entries(tables)) {
    const digest = (side: 'source' | 'target') =>
      tableDigest(pair[side], table, 'true', columns === 'all' ? undefined : columns);
    const [source, target] = await Promise.all([digest('source'), digest('target')]);
    if (!isDeepStrictEqual(source, target))
      found.push(`${table} ${when}: ${source.rows} rows at the source, ${target.rows} at the target`);
  }
  return found;
};
