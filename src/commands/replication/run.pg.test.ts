/** The commands of the main job as an operator runs them: the built program, two real servers. */

import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { makePair, type Pair, type PairOptions } from '../../../test/harness/pair.ts';
import { tableDigest } from '../../../test/harness/table-digest.ts';
import { shopRules, shopTenants } from '../../../fixtures/shop/config.ts';
import { SOURCE_REGION, TARGET_REGION } from '../../../test/servers/server-pair.ts';

vi.setConfig({ testTimeout: 300_000 });

const TABLES = ['shop.customers', 'shop.orders', 'shop.order_lines', 'shop.events', 'shop.documents'];
const link = (tenant: string): string => `shop:${tenant}:${SOURCE_REGION}:${TARGET_REGION}`;

const pairs: Pair[] = [];
afterEach(async () => {
  for (const pair of pairs.splice(0)) await pair[Symbol.asyncDispose]();
});

const shop = async (options: PairOptions = {}): Promise<Pair> => {
  const pair = await makePair({ tenants: ['acme', 'initech'], ...options });
  pairs.push(pair);
  return pair;
};

const initialised = async (options: PairOptions = {}): Promise<Pair> => {
  const pair = await shop(options);
  const init = await pair.xcrepl(['init', '--region', TARGET_REGION]);
  expect(init.exitCode, init.stderr).toBe(0);
  return pair;
};

const expectSame = async (pair: Pair, tenant: string): Promise<void> => {
  for (const table of TABLES)
    expect(await tableDigest(pair.target, table, `tenant_id = '${tenant}'`), table).toEqual(
      await tableDigest(pair.source, table, `tenant_id = '${tenant}'`),
    );
};

const rowsOf = async (pair: Pair, tenant: string): Promise<number> =>
  (
    await pair.target.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM shop.orders WHERE tenant_id = $1',
      [tenant],
    )
  )[0]!.n;

interface Report {
  readonly outcome: string;
  readonly exit: number;
  readonly steps: readonly { readonly kind: string; readonly state: string }[];
  readonly totals: { readonly copiedRows: number };
}

/** Everything that a dry run could leave behind. */
const traces = async (pair: Pair): Promise<unknown> =>
  Promise.all(
    [pair.source, pair.target].map((side) =>
      side.query(
        `SELECT 'slot' AS kind, slot_name::text AS name FROM pg_replication_slots WHERE database = current_database()
         UNION ALL SELECT 'publication', pubname FROM pg_publication
         UNION ALL SELECT 'schema', nspname FROM pg_namespace
         UNION ALL SELECT 'setting', name || '=' || setting FROM pg_settings WHERE source NOT IN ('client', 'session', 'override')
         UNION ALL SELECT 'table', schemaname || '.' || relname || ' ' || n_tup_ins || ' ' || n_tup_upd || ' ' || n_tup_del
                     FROM pg_stat_user_tables ORDER BY 1, 2`,
      ),
    ),
  );

const until = async (what: string, check: () => Promise<boolean>): Promise<void> => {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await check()) return;
    await wait(100);
  }
  throw new Error(`${what} did not happen`);
};

const states = async (pair: Pair): Promise<Record<string, string>> => {
  const rows = await pair.target.query<{ tenant: string; state: string }>(
    'SELECT tenant, state FROM xcrepl.links',
  );
  return Object.fromEntries(rows.map((row) => [row.tenant, row.state]));
};

describe('simulate', () => {
  it('leaves both servers as they were, and writes nothing but the plan', async () => {
    const pair = await shop();
    const before = await traces(pair);
    const run = await pair.xcrepl(['replication', 'simulate', '--out', 'plan.json', '-o', 'json']);
    expect(run.exitCode, run.stderr).toBe(0);
    expect(await traces(pair)).toEqual(before);
    expect((await readdir(pair.directory)).toSorted()).toEqual(['plan.json', 'secrets', 'xcrepl.yaml']);
    expect(JSON.parse(await readFile(join(pair.directory, 'plan.json'), 'utf8'))).toEqual(run.json());
  });

  it('is what run does with --dry-run', async () => {
    const pair = await shop();
    const before = await traces(pair);
    const run = await pair.xcrepl(['replication', 'run', '--dry-run', '-o', 'json']);
    expect(run.json()).toMatchObject({ kind: 'replicate' });
    expect(await traces(pair)).toEqual(before);
  });
});

describe('run --once', () => {
  it('refuses before init, copies a tenant alone, then the others beside it, then has nothing to do', async () => {
    const pair = await shop();
    const early = await pair.xcrepl(['replication', 'run']);
    expect(early.exitCode).toBe(7);
    expect(early.stderr).toContain(`xcrepl init --region ${TARGET_REGION}`);
    await pair.xcrepl(['init', '--region', TARGET_REGION]);

    const first = await pair.xcrepl(['replication', 'run', '--tenant', 'acme', '-o', 'json']);
    expect(first.exitCode, first.stderr).toBe(0);
    await expectSame(pair, 'acme');
    expect(await rowsOf(pair, 'initech')).toBe(0);

    await pair.source.query("UPDATE shop.customers SET email = 'new@example.org' WHERE tenant_id = 'acme'");
    const second = await pair.xcrepl(['replication', 'run', '-o', 'json']);
    expect(second.exitCode, second.stderr).toBe(0);
    await expectSame(pair, 'acme');
    await expectSame(pair, 'initech');

    const third = (await pair.xcrepl(['replication', 'run', '-o', 'json'])).json() as Report;
    expect(third).toMatchObject({ outcome: 'done', totals: { copiedRows: 0 } });
    expect(third.steps.map((step) => step.kind)).toEqual(['stream-changes', 'verify']);
  });

  it('writes reports and metrics', async () => {
    const pair = await initialised();
    const run = await pair.xcrepl(['replication', 'run', '--metrics-textfile', 'xcrepl.prom', '-o', 'json']);
    const { run: id } = run.json() as { run: string };
    const report = await readFile(join(pair.directory, 'reports', id, 'report.json'), 'utf8');
    expect(JSON.parse(report)).toEqual(run.json());
    expect(await readFile(join(pair.directory, 'reports', id, 'report.md'), 'utf8')).toContain(
      `# Run ${id}: done`,
    );
    const metrics = await readFile(join(pair.directory, 'xcrepl.prom'), 'utf8');
    expect(metrics).toMatch(
      /xcrepl_replication_last_success_timestamp_seconds\{tier="warm",from="us-east-1",to="eu-central-1"\} \d/,
    );
  });

  it('runs a reviewed plan, goes on with it, and refuses it once a schema has moved', async () => {
    const pair = await initialised();
    await pair.xcrepl(['replication', 'simulate', '--tenant', 'acme', '--out', 'plan.json']);
    expect((await pair.xcrepl(['replication', 'run', '--plan', 'plan.json'])).exitCode).toBe(0);
    await expectSame(pair, 'acme');
    expect(await rowsOf(pair, 'initech')).toBe(0);
    expect((await pair.xcrepl(['replication', 'run', '--plan', 'plan.json'])).exitCode).toBe(0);
    for (const side of [pair.source, pair.target])
      await side.query('ALTER TABLE shop.orders ADD COLUMN more int');
    const stale = await pair.xcrepl(['replication', 'run', '--plan', 'plan.json']);
    expect(stale.exitCode).toBe(8);
    expect(stale.stderr).toContain('XC-3001');
  });

  it('goes on after a kill at whatever moment', async () => {
    const pair = await initialised();
    for (const afterMs of [400, 900, 1_500, 2_200]) {
      const running = pair.spawnXcrepl(['replication', 'run']);
      await wait(afterMs);
      running.kill('SIGKILL');
      await running;
    }
    const last = await pair.xcrepl(['replication', 'run', '-o', 'json']);
    expect(last.exitCode, last.stderr).toBe(0);
    await expectSame(pair, 'acme');
    await expectSame(pair, 'initech');
  });

  it('says which file of its state cannot be written', async () => {
    const pair = await initialised();
    await rm(join(pair.directory, '.xcrepl'), { recursive: true, force: true });
    await writeFile(join(pair.directory, '.xcrepl'), '');
    const run = await pair.xcrepl(['replication', 'run']);
    expect(run.exitCode).toBe(5);
    expect(run.stderr).toContain('XC-6002');
    expect(await states(pair)).toEqual({});
  });

  it('refuses a lost slot, and never begins anew by itself', async () => {
    const pair = await initialised();
    await pair.xcrepl(['replication', 'run']);
    await pair.source.query(
      'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()',
    );
    const run = await pair.xcrepl(['replication', 'run']);
    expect(run.exitCode).toBe(6);
    expect(run.stderr).toContain('XC-5001');
    const status = await pair.xcrepl(['replication', 'status', '--fail-on', 'findings', '-o', 'json']);
    expect(status.exitCode).toBe(6);
    expect(status.json()).toMatchObject({
      links: [{ slot: { exists: false } }, { slot: { exists: false } }],
    });
  });
});

describe('run --follow', () => {
  it('streams, lets a tenant join, stops one, keeps a second run out, and ends in good order', async () => {
    const pair = await initialised({ tenants: ['acme', 'initech', 'hooli'] });
    const tenants = (...names: readonly string[]) =>
      pair.configure((config) => ({
        ...config,
        tenants: shopTenants(names),
        rules: shopRules({ tenants: names, from: SOURCE_REGION, to: [TARGET_REGION] }),
      }));
    await tenants('acme', 'hooli');
    const running = pair.spawnXcrepl([
      'replication',
      'run',
      '--follow',
      '--metrics-addr',
      '127.0.0.1:0',
      '-v',
      '-o',
      'json',
    ]);
    let told = '';
    running.stderr.on('data', (chunk: Buffer) => {
      told += chunk.toString();
    });
    const url = (): string => /http:\/\/127\.0\.0\.1:\d+/.exec(told)?.[0] ?? '';
    await until('ready', async () => url() !== '' && (await fetch(`${url()}/health/ready`)).status === 200);
    expect(await (await fetch(`${url()}/metrics`)).text()).toContain('xcrepl_replication_rows_total');

    const second = await pair.xcrepl(['replication', 'run']);
    expect(second.exitCode).toBe(11);
    expect(second.stderr).toMatch(/XC-7002[\s\S]*\d+/);

    await tenants('acme', 'hooli', 'initech');
    await until('joining', async () => (await states(pair)).initech === 'streaming');
    await pair.source.query(
      "UPDATE shop.customers SET email = 'late@example.org' WHERE tenant_id = 'initech'",
    );
    const caughtUp = await pair.xcrepl([
      'replication',
      'status',
      '--tenant',
      'initech',
      '--wait-for',
      'lag<20s',
      '--timeout',
      '60s',
      '-o',
      'json',
    ]);
    expect(caughtUp.exitCode, caughtUp.stderr).toBe(0);

    await writeFile(pair.configPath, 'schemaVersion: [not valid');
    await until('warning', () => Promise.resolve(told.includes('left aside')));
    await tenants('acme', 'hooli', 'initech');

    const stopped = await pair.xcrepl([
      'replication',
      'stop',
      '--link',
      link('hooli'),
      '--confirm',
      TARGET_REGION,
    ]);
    expect(stopped.exitCode, stopped.stderr).toBe(0);
    await pair.source.query(
      "UPDATE shop.customers SET email = 'unseen@example.org' WHERE tenant_id = 'hooli'",
    );
    await pair.source.query("UPDATE shop.customers SET email = 'seen@example.org' WHERE tenant_id = 'acme'");
    const seen = "SELECT count(*)::int AS n FROM shop.customers WHERE email = 'seen@example.org'";
    await until('streaming on', async () => (await pair.target.query<{ n: number }>(seen))[0]!.n > 0);
    await expectSame(pair, 'acme');
    await expectSame(pair, 'initech');
    expect(await pair.target.query("SELECT FROM shop.customers WHERE email = 'unseen@example.org'")).toEqual(
      [],
    );

    running.kill('SIGTERM');
    const ended = await running;
    expect(ended.exitCode).toBe(143);
    expect(ended.stdout, told).not.toBe('');
    const report = JSON.parse(ended.stdout) as Report;
    expect(report).toMatchObject({ outcome: 'interrupted', exit: 143 });
    const again = await pair.xcrepl(['replication', 'run', '-o', 'json']);
    expect(again.exitCode, again.stderr).toBe(0);
    await expectSame(pair, 'acme');
    await expectSame(pair, 'initech');
  });

  it('ends after --max-duration with what it has done', async () => {
    const pair = await initialised();
    const run = await pair.xcrepl(['replication', 'run', '--follow', '--max-duration', '8s', '-o', 'json']);
    expect((run.json() as Report).outcome).toMatch(/^(done|partly)$/);
    expect((await pair.xcrepl(['replication', 'run'])).exitCode).toBe(0);
    await expectSame(pair, 'acme');
  });
});

describe('stop and drop', () => {
  it('take a link off and forget it, and say no change the second time', async () => {
    const pair = await initialised();
    await pair.xcrepl(['replication', 'run']);
    const verb = (name: string, tenant: string) =>
      pair.xcrepl(['replication', name, '--link', link(tenant), '--confirm', TARGET_REGION, '-o', 'json']);
    expect((await verb('stop', 'initech')).json()).toMatchObject({ changed: true, state: 'stopped' });
    expect((await verb('stop', 'initech')).json()).toMatchObject({ changed: false, state: 'stopped' });
    const published = await pair.source.query<{ f: string }>(
      `SELECT DISTINCT rowfilter AS f FROM pg_publication_tables WHERE pubname LIKE 'xcrepl%'`,
    );
    expect(published.map((row) => row.f)).toEqual(["(tenant_id = 'acme'::text)"]);
    const run = (await pair.xcrepl(['replication', 'run', '-o', 'json'])).json() as Report;
    expect(run.steps.map((step) => step.kind)).toEqual(['stream-changes', 'verify']);

    expect((await verb('drop', 'initech')).json()).toMatchObject({ state: 'dropped' });
    expect((await verb('drop', 'acme')).json()).toMatchObject({ state: 'dropped' });
    expect((await verb('drop', 'acme')).json()).toMatchObject({
      changed: false,
      state: 'absent',
      removed: [],
    });
    expect(await rowsOf(pair, 'acme')).toBeGreaterThan(0);
    for (const [table, side] of [
      ['pg_publication', pair.source],
      ['xcrepl.streams', pair.target],
      ['xcrepl.checkpoints', pair.target],
    ] as const)
      expect(await side.query(`SELECT * FROM ${table}`), table).toEqual([]);
    expect(
      await pair.source.query(
        'SELECT slot_name FROM pg_replication_slots WHERE database = current_database()',
      ),
    ).toEqual([]);
  });

  it('want the region’s name, and change nothing without it', async () => {
    const pair = await initialised();
    await pair.xcrepl(['replication', 'run']);
    const drop = (...more: readonly string[]) =>
      pair.xcrepl(['replication', 'drop', '--link', link('acme'), ...more]);
    expect((await drop('--yes')).exitCode).toBe(13);
    expect((await drop('--confirm', SOURCE_REGION)).exitCode).toBe(2);
    expect((await drop('--dry-run')).exitCode).toBe(0);
    expect(await states(pair)).toEqual({ acme: 'streaming', initech: 'streaming' });
  });
});

describe('status', () => {
  it('shows a link that was never run, and waits for a condition until the deadline', async () => {
    const pair = await shop();
    const never = await pair.xcrepl(['replication', 'status', '-o', 'json']);
    expect(never.json()).toMatchObject({ links: [{ state: 'never-run' }, { state: 'never-run' }] });
    const late = await pair.xcrepl(['replication', 'status', '--wait-for', 'lag<5s', '--timeout', '3s']);
    expect(late.exitCode).toBe(10);
    expect(late.stdout).toContain('never-run');
  });

  it('prints a line a link with --watch where there is no terminal', async () => {
    const pair = await initialised();
    await pair.xcrepl(['replication', 'run']);
    const watching = pair.spawnXcrepl(['replication', 'status', '--watch', '--interval', '200ms']);
    let lines = '';
    watching.stdout.on('data', (chunk: Buffer) => {
      lines += chunk.toString();
    });
    await until('two looks', () => Promise.resolve(lines.split('\n').length > 4));
    watching.kill('SIGINT');
    expect((await watching).exitCode).toBe(130);
    expect(lines).toMatch(new RegExp(`^\\d{4}-\\S+Z ${link('acme')} state=streaming lag=`));
    expect(lines).not.toContain('\u001b');
  });

  it('names what it cannot reach', async () => {
    const pair = await initialised();
    await mkdir(join(pair.directory, 'nowhere'));
    await pair.useDsn('target', `postgres://nobody@127.0.0.1:1/none`);
    const run = await pair.xcrepl(['replication', 'status']);
    expect(run.exitCode).toBe(5);
    expect(run.stderr).toContain('XC-6001');
  });
});

describe('init and uninstall', () => {
  it('prepare a region once, and remove everything of ours from both sides', async () => {
    const pair = await initialised();
    const again = await pair.xcrepl(['init', '--region', TARGET_REGION, '--role', 'app', '-o', 'json']);
    expect(again.json()).toMatchObject({ changed: false, databases: [{ applied: [] }] });
    expect(again.stdout).toContain('GRANT SET ON PARAMETER session_replication_role TO \\"app\\"');
    await pair.xcrepl(['replication', 'run']);
    const uninstall = (region: string) =>
      pair.xcrepl(['uninstall', '--region', region, '--confirm', region, '-o', 'json']);
    expect((await pair.xcrepl(['uninstall', '--region', SOURCE_REGION])).exitCode).toBe(13);
    for (const region of [SOURCE_REGION, TARGET_REGION]) {
      expect((await uninstall(region)).json(), region).toMatchObject({ changed: true });
      expect((await uninstall(region)).json(), region).toMatchObject({ changed: false });
    }
    for (const side of [pair.source, pair.target])
      expect(
        await side.query(
          `SELECT nspname::text FROM pg_namespace WHERE nspname = 'xcrepl'
           UNION ALL SELECT pubname FROM pg_publication
           UNION ALL SELECT slot_name FROM pg_replication_slots WHERE database = current_database()`,
        ),
      ).toEqual([]);
    expect(await rowsOf(pair, 'acme')).toBeGreaterThan(0);
  });
});
