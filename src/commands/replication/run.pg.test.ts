/** The commands of the main job as an operator runs them, one after the other: the built program, two real servers. */

import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../../test/e2e/until.ts';
import { makePair, type Pair } from '../../../test/harness/pair.ts';
import { digests } from '../../../test/harness/table-digest.ts';
import { shopRules, shopTenants } from '../../../fixtures/shop/config.ts';
import { shopTables } from '../../../fixtures/shop/tables.ts';
import { SOURCE_REGION, TARGET_REGION } from '../../../test/servers/server-pair.ts';

const link = (tenant: string): string => `shop:${tenant}:${SOURCE_REGION}:${TARGET_REGION}`;

let pair: Pair;
beforeAll(async () => {
  pair = await makePair({ tenants: ['acme', 'initech', 'hooli'], scale: 0.05 });
  await onlyTenants('acme', 'initech');
});
afterAll(() => pair[Symbol.asyncDispose]());

const onlyTenants = (...names: readonly string[]): Promise<void> =>
  pair.configure((config) => ({
    ...config,
    tenants: shopTenants(names),
    rules: shopRules({ tenants: names, from: SOURCE_REGION, to: [TARGET_REGION] }),
  }));

const xcrepl = (...args: readonly string[]) => pair.xcrepl([...args, '-o', 'json']);
const run = (...more: readonly string[]) => xcrepl('replication', 'run', ...more);

/** `stop` or `drop`. */
const verb = (name: string, tenant: string) =>
  xcrepl('replication', name, '--link', link(tenant), '--confirm', TARGET_REGION);
const dropAcme = (...more: readonly string[]) =>
  xcrepl('replication', 'drop', '--link', link('acme'), ...more);
const uninstall = (region: string) => xcrepl('uninstall', '--region', region, '--confirm', region);

interface Report {
  readonly outcome: string;
  readonly exit: number;
  readonly steps: readonly { readonly kind: string; readonly state: string }[];
  readonly totals: { readonly copiedRows: number };
}

const expectSame = async (...tenants: readonly string[]): Promise<void> => {
  for (const tenant of tenants) {
    const rows = `tenant_id = '${tenant}'`;
    expect(await digests(pair.target, shopTables, rows), tenant).toEqual(
      await digests(pair.source, shopTables, rows),
    );
  }
};

const rowsOf = async (tenant: string): Promise<number> =>
  (
    await pair.target.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM shop.orders WHERE tenant_id = $1',
      [tenant],
    )
  )[0]!.n;

const states = async (): Promise<Record<string, string>> => {
  const rows = await pair.target.query<{ tenant: string; state: string }>(
    'SELECT tenant, state FROM xcrepl.links',
  );
  return Object.fromEntries(rows.map((row) => [row.tenant, row.state]));
};

test('a link that was never run is shown as such, and waited for until the deadline', async () => {
  const never = await xcrepl('replication', 'status');
  expect(never.json()).toMatchObject({ links: [{ state: 'never-run' }, { state: 'never-run' }] });
  const late = await pair.xcrepl(['replication', 'status', '--wait-for', 'lag<5s', '--timeout', '3s']);
  expect(late.exitCode).toBe(10);
  expect(late.stdout).toContain('never-run');
});

test('run refuses before init, which prepares a region once and prints the grants', async () => {
  const early = await pair.xcrepl(['replication', 'run']);
  expect(early.exitCode).toBe(7);
  expect(early.stderr).toContain(`xcrepl init --region ${TARGET_REGION}`);
  const first = await xcrepl('init', '--region', TARGET_REGION);
  expect(first.exitCode, first.stderr).toBe(0);
  expect(first.json()).toMatchObject({ changed: true });
  const again = await xcrepl('init', '--region', TARGET_REGION, '--role', 'app');
  expect(again.json()).toMatchObject({ changed: false, databases: [{ applied: [] }] });
  expect(again.stdout).toContain('GRANT SET ON PARAMETER session_replication_role TO \\"app\\"');
});

test('run copies a tenant alone, then the others beside it, then has nothing to do', async () => {
  const first = await run('--tenant', 'acme');
  expect(first.exitCode, first.stderr).toBe(0);
  await expectSame('acme');
  expect(await rowsOf('initech')).toBe(0);

  await pair.source.query("UPDATE shop.customers SET email = 'new@example.org' WHERE tenant_id = 'acme'");
  const second = await run();
  expect(second.exitCode, second.stderr).toBe(0);
  await expectSame('acme', 'initech');
  expect(await rowsOf('hooli')).toBe(0);

  const third = (await run()).json() as Report;
  expect(third).toMatchObject({ outcome: 'done', totals: { copiedRows: 0 } });
  expect(third.steps.map((step) => step.kind)).toEqual(['stream-changes', 'verify']);
});

test('status prints a line a link with --watch where there is no terminal', async () => {
  const watching = pair.spawnXcrepl(['replication', 'status', '--watch', '--interval', '200ms']);
  let lines = '';
  watching.stdout.on('data', (chunk: Buffer) => {
    lines += chunk.toString();
  });
  await until('two looks', () => lines.split('\n').length > 4);
  watching.kill('SIGINT');
  expect((await watching).exitCode).toBe(130);
  expect(lines).toMatch(new RegExp(`^\\d{4}-\\S+Z ${link('acme')} state=streaming lag=`));
  expect(lines).not.toContain('\u001b');
});

test('run --follow ends after --max-duration with what it has done', async () => {
  const ended = await run('--follow', '--max-duration', '2s');
  expect((ended.json() as Report).outcome).toMatch(/^(done|partly)$/);
});

test('run --follow streams, lets a tenant join, stops one, and ends in good order', async () => {
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

  await onlyTenants('acme', 'initech', 'hooli');
  await until('joining', async () => (await states()).hooli === 'streaming');
  await pair.source.query("UPDATE shop.customers SET email = 'late@example.org' WHERE tenant_id = 'hooli'");
  const waiting = ['--wait-for', 'lag<20s', '--timeout', '60s'];
  const caughtUp = await xcrepl('replication', 'status', '--tenant', 'hooli', ...waiting);
  expect(caughtUp.exitCode, caughtUp.stderr).toBe(0);

  await writeFile(pair.configPath, 'schemaVersion: [not valid');
  await until('warning', () => told.includes('left aside'));
  await onlyTenants('acme', 'initech', 'hooli');

  const stopped = await verb('stop', 'initech');
  expect(stopped.exitCode, stopped.stderr).toBe(0);
  await pair.source.query(
    "UPDATE shop.customers SET email = 'unseen@example.org' WHERE tenant_id = 'initech'",
  );
  await pair.source.query("UPDATE shop.customers SET email = 'seen@example.org' WHERE tenant_id = 'acme'");
  const holding = async (email: string): Promise<number> =>
    (await pair.target.query('SELECT FROM shop.customers WHERE email = $1', [email])).length;
  await until('streaming on', async () => (await holding('seen@example.org')) > 0);
  await expectSame('acme', 'hooli');
  expect(await holding('unseen@example.org')).toBe(0);

  running.kill('SIGTERM');
  const ended = await running;
  expect(ended.exitCode).toBe(143);
  expect(ended.stdout, told).not.toBe('');
  expect(JSON.parse(ended.stdout)).toMatchObject({ outcome: 'interrupted', exit: 143 });
  const again = await run();
  expect(again.exitCode, again.stderr).toBe(0);
  await expectSame('acme', 'hooli');
});

test('stop and drop want the region’s name, and change nothing without it', async () => {
  expect((await dropAcme('--yes')).exitCode).toBe(13);
  expect((await dropAcme('--confirm', SOURCE_REGION)).exitCode).toBe(2);
  expect((await dropAcme('--dry-run')).exitCode).toBe(0);
  // The target's own word for a link that is off, or on its way there.
  expect(await states()).toEqual({ acme: 'streaming', hooli: 'streaming', initech: 'stopping' });
});

test('stop and drop take a link off and forget it, and say no change the second time', async () => {
  expect((await verb('stop', 'hooli')).json()).toMatchObject({ changed: true, state: 'stopped' });
  expect((await verb('stop', 'hooli')).json()).toMatchObject({ changed: false, state: 'stopped' });
  const published = await pair.source.query<{ f: string }>(
    `SELECT DISTINCT rowfilter AS f FROM pg_publication_tables WHERE pubname LIKE 'xcrepl%'`,
  );
  expect(published.map((row) => row.f)).toEqual(["(tenant_id = 'acme'::text)"]);
  const without = (await run()).json() as Report;
  expect(without.steps.map((step) => step.kind)).toEqual(['stream-changes', 'verify']);

  for (const tenant of ['hooli', 'initech', 'acme'])
    expect((await verb('drop', tenant)).json(), tenant).toMatchObject({ state: 'dropped' });
  expect((await verb('drop', 'acme')).json()).toMatchObject({ changed: false, state: 'absent', removed: [] });
  expect(await rowsOf('acme')).toBeGreaterThan(0);
  for (const [table, side] of [
    ['pg_publication', pair.source],
    ['xcrepl.streams', pair.target],
    ['xcrepl.checkpoints', pair.target],
  ] as const)
    expect(await side.query(`SELECT * FROM ${table}`), table).toEqual([]);
  expect(await ourSlots()).toEqual([]);
});

const ourSlots = () =>
  pair.source.query('SELECT slot_name FROM pg_replication_slots WHERE database = current_database()');

test('uninstall removes everything of ours from both sides, also from under a link', async () => {
  const replace = ['--existing', 'replace', '--confirm', TARGET_REGION];
  const copied = await run('--tenant', 'acme', '--tables', 'shop.orders', ...replace);
  expect(copied.exitCode, copied.stderr).toBe(0);
  expect(await ourSlots()).toHaveLength(1);
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
  expect(await rowsOf('acme')).toBeGreaterThan(0);
});
