/** The servers, the runner and the tenants that a script of the links' suite acts on. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfigInput } from '../../../src/core/config/schema.ts';
import { connect, disconnect } from '../../../src/providers/postgres/connect.ts';
import { askForPause } from '../../../src/providers/postgres/target-state.ts';
import { linkOf, manyTenants } from '../../engine/many-links.ts';
import type { Pair } from '../../harness/pair.ts';
import { TARGET_REGION } from '../../servers/server-pair.ts';
import { finishInTime, startRunner, told, type Runner, type RunnerEnd } from '../runner.ts';
import { LATE, TENANTS, type Act, type Deed, type Kill } from './plan.ts';

const FINDINGS = 6;
const POLL_MS = 2;
/** A run that follows looks every two seconds; what has not changed by then does not change for this deed. */
const CHANGE_LIMIT_MS = 5_000;

export class Stage {
  /** Tenants that the rule names now. */
  readonly named = new Set<string>(TENANTS.filter((name) => name !== LATE));
  readonly #pair: Pair;
  readonly #poisoned = new Set<string>();
  #runner: Runner | null = null;

  constructor(pair: Pair) {
    this.#pair = pair;
  }

  start(): void {
    this.#runner ??= startRunner(this.#pair, '--follow');
  }

  async act({ start, deed, kill, pauseMs }: Act): Promise<void> {
    if (start) this.start();
    const changed = kill && this.#runner ? await changeOf(this.#pair, kill) : null;
    await this.#do(deed);
    if (changed) {
      await changed();
      await this.#kill();
    }
    await sleep(pauseMs);
    await this.#look();
  }

  /** Everybody that is named streams again, and one run more brings everything to where the source is then. */
  async finish(): Promise<void> {
    for (const tenant of this.#poisoned) await this.#mend(tenant);
    await this.#row('resume', [...this.named]);
    if (this.#runner && !this.#runner.isOver()) this.#judge(await this.#runner.stop());
    this.#runner = null;
    await finishInTime(() => startRunner(this.#pair, '--once'), 'the run after the traffic');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#runner && !this.#runner.isOver()) await this.#runner.kill();
  }

  async #do(deed: Deed): Promise<void> {
    switch (deed.kind) {
      case 'pause':
      case 'resume':
        // A command that pauses waits for the runner, which may be dead: only its own work is of interest here.
        if (deed.by === 'command' && this.#runner === null)
          return await this.#command(deed.kind, deed.tenants);
        return await this.#row(deed.kind, deed.tenants);
      case 'poison':
        this.#poisoned.add(deed.tenant);
        await this.#pair.target.query(
          `ALTER TABLE app.items DROP CONSTRAINT IF EXISTS no_${deed.tenant};
           ALTER TABLE app.items ADD CONSTRAINT no_${deed.tenant} CHECK (tenant <> '${deed.tenant}' OR v >= 0) NOT VALID`,
        );
        await this.#pair.source.query(`UPDATE app.items SET v = -v - 1 WHERE tenant = $1 AND id = 1`, [
          deed.tenant,
        ]);
        return;
      case 'mend':
        return await this.#mend(deed.tenant);
      case 'remove':
        this.named.delete(deed.tenant);
        return await this.#pair.configure(configOf(this.named));
      case 'join':
        this.named.add(LATE);
        return await this.#pair.configure(configOf(this.named));
      case 'nothing':
        return;
    }
  }

  /** The command has its own sessions and steps, and is killed in them, too, where its end does not come by itself. */
  async #command(verb: 'pause' | 'resume', tenants: readonly string[]): Promise<void> {
    for (const tenant of tenants) {
      const child = this.#pair.spawnXcrepl(['replication', verb, '--link', linkOf(tenant)], {
        timeoutMs: 60_000,
      });
      const limit = setTimeout(() => void child.kill('SIGKILL'), 1_500);
      await child;
      clearTimeout(limit);
    }
  }

  async #row(verb: 'pause' | 'resume', tenants: readonly string[]): Promise<void> {
    const client = await connect(this.#pair.target.dsn, { subject: TARGET_REGION });
    try {
      await askForPause(
        client,
        tenants.map((tenant) => linkOf(tenant)),
        verb,
        TARGET_REGION,
      );
    } finally {
      await disconnect(client);
    }
  }

  async #mend(tenant: string): Promise<void> {
    await this.#pair.target.query(`ALTER TABLE app.items DROP CONSTRAINT IF EXISTS no_${tenant}`);
    this.#poisoned.delete(tenant);
  }

  async #kill(): Promise<void> {
    if (this.#runner) this.#judge(await this.#runner.kill());
    this.#runner = null;
  }

  async #look(): Promise<void> {
    if (!this.#runner?.isOver()) return;
    this.#judge(await this.#runner.ended);
    this.#runner = null;
  }

  /** Where nobody else is on the stream, one tenant's row ends it. */
  #judge(end: RunnerEnd): void {
    const { exitCode, signal } = end;
    const may =
      signal !== null || exitCode === 143 || exitCode === 5 || exitCode === 0 || exitCode === FINDINGS;
    if (!may) throw new Error(`the run ended: ${told(end)}`);
  }
}

/** @returns waits for the moment of the kill, which is told from how things are now */
const changeOf = async (pair: Pair, { of, afterMs }: Kill): Promise<() => Promise<void>> => {
  if (of === 'deed') return () => sleep(afterMs);
  const { side, sql } = LOOKS[of];
  const look = async (): Promise<string> => JSON.stringify(await pair[side].query(sql));
  const before = await look();
  return async () => {
    const limit = performance.now() + CHANGE_LIMIT_MS;
    while (performance.now() < limit && (await look()) === before) await sleep(POLL_MS);
    await sleep(afterMs);
  };
};

const LOOKS = {
  slots: {
    side: 'source',
    sql: 'SELECT slot_name FROM pg_replication_slots WHERE database = current_database() ORDER BY 1',
  },
  links: { side: 'target', sql: 'SELECT link, slot, state FROM xcrepl.links ORDER BY 1' },
  checkpoints: { side: 'target', sql: 'SELECT slot FROM xcrepl.checkpoints ORDER BY 1' },
} as const;

export const configOf =
  (names: ReadonlySet<string>) =>
  (config: ConfigInput): ConfigInput => {
    const made = manyTenants([...TENANTS])(config);
    return {
      ...made,
      rules: made.rules!.map((rule) => ({ ...rule, tenants: [...names], verify: 'off' as const })),
    };
  };
