/** The process that runs the engine for a benchmark: takes commands from its parent one by one and answers each. */

import type { ConfigInput } from '../../src/core/config/schema.ts';
import { openTestEngine, type TestEngine } from '../../test/engine/test-engine.ts';
import { slotName } from '../../src/core/topology/link.ts';
import { keyText } from '../../src/core/validation/finding.ts';
import type { Streamed } from '../../src/core/replication/engine.ts';
import { boundYoungSpace } from '../../src/providers/system/young-space.ts';
import { drainSlot } from './drain-slot.ts';
import { sortedDifferences } from './sorted-differences.ts';

// As the program does for commands that stream.
boundYoungSpace();

export interface Place {
  readonly dsn: string;
  readonly database: string;
}

let engine: TestEngine | null = null;
let streaming: { readonly stop: AbortController; readonly done: Promise<Streamed> } | null = null;

const opened = (): TestEngine => {
  if (!engine) throw new Error('no engine is open');
  return engine;
};

const step = () => ({ id: 's', stream: opened().stream.key, dependsOn: [] });

const commands = {
  async open(pair: {
    readonly config: ConfigInput;
    readonly source: Place;
    readonly target: Place;
  }): Promise<void> {
    await engine?.[Symbol.asyncDispose]();
    engine = await openTestEngine(pair, { host: 'bench', random: { next: Math.random } });
    await engine.engine.acquire();
  },
  /** Publication and slot. */
  async prepare(): Promise<void> {
    await opened().publish();
    await opened().createSlot();
  },
  async copy({ chunks }: { readonly chunks: number }): Promise<void> {
    for (const one of await opened().copySteps(chunks))
      await opened().engine.copyTable(one, new AbortController().signal);
  },
  /** Publication, slot and copy. @returns seconds */
  async freshCopy({ chunks }: { readonly chunks: number }): Promise<number> {
    const startedMs = performance.now();
    await commands.prepare();
    await commands.copy({ chunks });
    return (performance.now() - startedMs) / 1000;
  },
  async start(): Promise<void> {
    const stop = new AbortController();
    const slot = slotName(opened().stream.key);
    const done = opened().engine.streamChanges(
      { ...step(), kind: 'stream-changes', slot, until: 'source-position-at-start' },
      { until: null, signal: stop.signal },
    );
    done.catch((error: unknown) => process.stderr.write(`stream: ${String(error)}\n`));
    streaming = { stop, done };
  },
  async stop(): Promise<void> {
    streaming?.stop.abort(new DOMException('measured', 'AbortError'));
    await streaming?.done;
    streaming = null;
  },
  /** Rows that a full verification names. */
  async differing(): Promise<string[]> {
    const links = opened().stream.links.map((link) => link.id);
    const verified = await opened().engine.verify(
      { ...step(), kind: 'verify', links, extent: 'full' },
      new AbortController().signal,
    );
    return verified.findings.flatMap(({ keys = [] }) => keys.map(keyText));
  },
  async drop(): Promise<void> {
    for (const link of opened().stream.links) await opened().engine.dropLink(link.id);
  },
  drainSlot,
  sortedDifferences,
};

export type Commands = typeof commands;
export type CommandName = keyof Commands;
export interface Command {
  readonly id: number;
  readonly name: CommandName;
  readonly argument: unknown;
}

process.on('message', (message) => {
  const { id, name, argument } = message as Command;
  const run = commands[name] as (given: unknown) => Promise<unknown>;
  run(argument).then(
    (value) => process.send?.({ id, value }),
    (error: unknown) =>
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});

/** The parent is done, or dead. */
process.on('disconnect', () => {
  void commands.stop().then(() => engine?.[Symbol.asyncDispose]());
});
