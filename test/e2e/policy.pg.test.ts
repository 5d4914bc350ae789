/** Gates at work: approvals in production, a scan for personal data, budgets. */

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sumsOf, verifyEvidence } from '../../src/core/report/evidence.ts';
import { unpackTar } from '../../src/providers/archive/tar.ts';
import { bundles } from '../../src/providers/cosign/bundles.ts';
import { noteVerifier, publicKeyOf } from '../../src/providers/cosign/signing-key.ts';
import { makePair, type Pair } from '../harness/pair.ts';
import { PASSPHRASE, writeKeys } from '../harness/signing-keys.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { expectRefusal } from './refusal.ts';

let pair: Pair;
let approvedRun = '';
/** Bytes a second of the copy. */
const COPY_RATE = 50_000;
beforeAll(async () => {
  pair = await makePair({ tenants: ['acme'], scale: 0.02 });
  for (const name of ['rita', 'alice', 'bob', 'eve']) await writeKeys(pair.directory, name);
  await pair.configure((config) => ({
    ...config,
    environment: 'production',
    signing: {
      publicKeys: {
        rita: { file: 'rita.pub', scopes: ['request', 'approve'] },
        alice: { file: 'alice.pub', scopes: ['approve'] },
        bob: { file: 'bob.pub', scopes: ['approve'] },
        eve: { file: 'eve.pub', scopes: ['manifest'] },
      },
      approvals: { required: 2 },
    },
    budgets: [
      {
        tenant: 'acme',
        from: SOURCE_REGION,
        to: TARGET_REGION,
        bytesPerSecond: COPY_RATE,
        concurrentJobs: 2,
      },
    ],
  }));
  expect((await pair.xcrepl(['init', '--region', TARGET_REGION])).exitCode).toBe(0);
  await pair.target.query(
    `SET session_replication_role = replica; INSERT INTO shop.customers (tenant_id, id, email, full_name) OVERRIDING SYSTEM VALUE VALUES ('acme', 999999, 'x@x', 'left over'); RESET session_replication_role`,
  );
});
afterAll(() => pair[Symbol.asyncDispose]());

const xcrepl = (...args: readonly string[]) =>
  pair.xcrepl([...args, '-o', 'json'], { env: { COSIGN_PASSWORD: PASSPHRASE } });

const simulate = async (out: string): Promise<void> => {
  const made = await xcrepl('replication', 'simulate', '--existing', 'replace', '--out', out);
  expect(made.exitCode, made.stderr).toBe(0);
  expect(made.json()).toMatchObject({ wish: { existing: 'replace' } });
  expect((made.json() as { policy: object[] }).policy[2]).toMatchObject({ gate: 'P3', verdict: 'FAIL' });
};

const approve = (plan: string, name: string, key = name) =>
  xcrepl('approve', plan, '--approved-by', name, '--key-ref', `${key}.key`);

const run = (...args: readonly string[]) => xcrepl('replication', 'run', ...args, '--confirm', TARGET_REGION);

test('rows are replaced only by a plan that two others approved, whoever asked', async () => {
  expectRefusal(await run('--existing', 'replace'), {
    code: 'XC-3030',
    exit: 8,
    says: ['2 approvals of 3 keys'],
  });
  await simulate('plan.json');
  await simulate('other.json');
  expectRefusal(await run('--plan', 'plan.json'), { code: 'XC-3030', exit: 8 });

  expectRefusal(await approve('plan.json', 'alice', 'bob'), { code: 'XC-1405', exit: 2 });
  expectRefusal(await approve('plan.json', 'eve'), { code: 'XC-3032', exit: 8 });
  for (const name of ['alice', 'bob']) expect((await approve('plan.json', name)).exitCode).toBe(0);
  // Two approve, and nothing proves that neither of them asked.
  expectRefusal(await run('--plan', 'plan.json'), { code: 'XC-3037', exit: 8 });

  expect((await xcrepl('policy', 'sign', 'plan.json', '--key', 'alice.key')).exitCode).toBe(0);
  expectRefusal(await run('--plan', 'plan.json'), { code: 'XC-3034', exit: 8 });
  expectRefusal(await approve('plan.json', 'alice'), { code: 'XC-3034', exit: 8 });
  expect((await xcrepl('policy', 'sign', 'plan.json', '--key', 'rita.key')).exitCode).toBe(0);

  expect((await approve('other.json', 'bob')).exitCode).toBe(0);
  const [a, b] = ['plan.json.approval.alice.json', 'plan.json.approval.bob.json'] as const;
  expectRefusal(await run('--plan', 'plan.json', '--approval', a), { code: 'XC-3030', exit: 8 });
  expectRefusal(await run('--plan', 'plan.json', '--approval', a, 'other.json.approval.bob.json'), {
    code: 'XC-3033',
    exit: 8,
  });
  const text = await readFile(join(pair.directory, b), 'utf8');
  await writeFile(join(pair.directory, 'forged.json'), text.replace('"payload":"ey', '"payload":"eyA'));
  expectRefusal(await run('--plan', 'plan.json', '--approval', a, 'forged.json'), {
    code: 'XC-3031',
    exit: 8,
  });
  expect(await pair.target.query('SELECT FROM shop.customers WHERE id = 999999')).toHaveLength(1);

  // What is left of it goes on under the same approvals.
  const cut = await run('--plan', 'plan.json', '--max-duration', '2s');
  expect(cut.exitCode, cut.stderr).toBe(3);
  const done = await run('--plan', 'plan.json');
  expect(done.exitCode, done.stderr).toBe(0);
  const report = done.json() as {
    run: string;
    totals: { copiedBytes: number };
    steps: { kind: string; durationMs: number }[];
  };
  approvedRun = report.run;
  const copyMs = report.steps.reduce(
    (sum, { kind, durationMs }) => sum + (kind === 'copy-table' ? durationMs : 0),
    0,
  );
  // What a bucket saved up before, and the last piece of each copy, need not wait.
  expect(report.totals.copiedBytes).toBeGreaterThan(COPY_RATE);
  expect(copyMs / 1000).toBeGreaterThan(report.totals.copiedBytes / COPY_RATE - 2);
  expect((done.json() as { policy: object[] }).policy[2]).toMatchObject({
    gate: 'P3',
    verdict: 'PASS',
    reason: expect.stringContaining('approved by alice, bob') as string,
  });
  expect(await pair.target.query('SELECT FROM shop.customers WHERE id = 999999')).toEqual([]);
});

test('a scan names columns that look personal, and shows no value', async () => {
  const scanned = await xcrepl('policy', 'scan', '--detailed-exitcode');
  expect(scanned.exitCode, scanned.stderr).toBe(6);
  const { found } = scanned.json() as {
    found: { table: string; column: string; pii: string; tenants: string[] }[];
  };
  const of = (table: string, column: string) =>
    found.find((one) => one.table === table && one.column === column);
  expect(of('shop.customers', 'email')).toMatchObject({
    pii: 'email',
    tenants: ['acme'],
    hits: expect.any(Number) as number,
  });
  expect(of('shop.customers', 'phone')).toMatchObject({ pii: 'phone' });
  expect(of('shop.customers', 'tenant_id')).toBeUndefined();
  const [{ email }] = (await pair.source.query('SELECT email FROM shop.customers LIMIT 1')) as [
    { email: string },
  ];
  expect(scanned.stdout + scanned.stderr).not.toContain(email);
});

const LINK_BYTES = 200_000;

test('a budget slows what is streamed, counts the day in the target, and pauses without dropping', async () => {
  const budgeted = (budget: object) =>
    pair.configure((config) => ({
      ...config,
      environment: 'staging',
      budgets: [{ tenant: 'acme', from: SOURCE_REGION, to: TARGET_REGION, ...budget }],
    }));
  await budgeted({ bytesPerSecond: 50_000, bytesPerDay: 1_000_000_000, concurrentJobs: 1 });
  const write = () =>
    pair.source.query(
      `UPDATE shop.customers SET note = repeat('x', ${LINK_BYTES}) || clock_timestamp() WHERE id = (SELECT min(id) FROM shop.customers)`,
    );
  await write();
  const slow = await xcrepl('replication', 'run');
  expect(slow.exitCode, slow.stderr).toBe(0);
  const report = slow.json() as { steps: { kind: string; durationMs: number }[]; policy: object[] };
  // 200,000 bytes at 50,000 a second take 4 s, of which a bucket that waited meanwhile has saved up to one.
  expect(report.steps.find(({ kind }) => kind === 'stream-changes')!.durationMs).toBeGreaterThan(2_900);
  expect(report.policy[5]).toMatchObject({ gate: 'P6', verdict: 'PASS' });
  const [used] = await pair.target.query<{ tenant: string; bytes: string }>(
    'SELECT tenant, bytes FROM xcrepl.budget_days',
  );
  expect(used).toMatchObject({ tenant: 'acme' });
  expect(Number(used!.bytes)).toBeGreaterThanOrEqual(LINK_BYTES);

  await budgeted({ bytesPerDay: 1_000 });
  await write();
  const paused = await xcrepl('replication', 'run', '--max-duration', '3s');
  expect(paused.exitCode, paused.stderr).toBe(3);
  expect(paused.stderr).toContain('XC-2037');
  expect((paused.json() as { policy: object[] }).policy[5]).toMatchObject({
    verdict: 'BLOCKED',
    reason: expect.stringContaining('waits for the next day') as string,
  });
  await budgeted({ bytesPerDay: 2_000_000_000 });
  expect((await xcrepl('replication', 'run')).exitCode).toBe(0);
  const note = 'SELECT note FROM shop.customers ORDER BY id LIMIT 1';
  expect(await pair.target.query(note)).toEqual(await pair.source.query(note));
});

test('evidence of the approved run stands alone, and no part of it can be changed', async () => {
  const made = await xcrepl('evidence', 'export', approvedRun, '--out', 'e.tar', '--key', 'alice.key');
  expect(made.exitCode, made.stderr).toBe(0);
  const verified = await xcrepl('evidence', 'verify', 'e.tar', '--key', 'alice.pub');
  expect(verified.exitCode, verified.stdout).toBe(0);
  const { claims } = verified.json() as { claims: { claim: string; verdict: string }[] };
  expect(claims.filter(({ verdict }) => verdict !== 'pass').map(({ claim }) => claim)).toEqual([
    'the log has no other version elsewhere',
  ]);
  expect(claims.filter(({ claim }) => claim.endsWith('approves this plan'))).toHaveLength(2);

  // Stock tools read it.
  const out = join(pair.directory, 'unpacked');
  await mkdir(out);
  await execa('tar', ['-xf', join(pair.directory, 'e.tar'), '-C', out]);
  const readme = await readFile(join(out, 'README.md'), 'utf8');
  const commands = [...readme.matchAll(/^ {4}(.+)$/gm)].map(([, command]) => command!);
  expect(commands.length).toBeGreaterThan(4);
  // Each command of it as it stands; what is not on this machine is left out.
  for (const command of commands) {
    const [program = ''] = command.split(' ');
    if (await lacks(program === 'for' ? 'jq' : program)) continue;
    await execa('bash', ['-euo', 'pipefail', '-c', command], { cwd: out });
    if (program !== 'python3') continue;
    await writeFile(
      join(out, 'report.json'),
      (await readFile(join(out, 'report.json'), 'utf8')).replace('"exit": 0', '"exit": 1'),
    );
    const changed = await execa('bash', ['-c', command], { cwd: out, reject: false });
    expect([changed.exitCode, changed.stdout]).toEqual([
      1,
      expect.stringMatching(/WRONG no file was changed[^]*WRONG the log names this report/),
    ]);
    await writeFile(
      join(out, 'report.json'),
      (await readFile(join(out, 'report.json'), 'utf8')).replace('"exit": 1', '"exit": 0'),
    );
  }

  // The exporter, who holds the key, cannot change anything either without the log telling.
  const files = unpackTar(await readFile(join(pair.directory, 'e.tar')), 'e.tar');
  const trusted = [publicKeyOf(await readFile(join(pair.directory, 'alice.pub'), 'utf8'), 'alice.pub')];
  const ports = { bundles, keyOf: publicKeyOf, verifierOf: noteVerifier, trusted };
  const failed = async (changed: ReadonlyMap<string, Buffer>): Promise<boolean> =>
    (await verifyEvidence(changed, ports)).some(({ verdict }) => verdict === 'fail');
  expect(await failed(files)).toBe(false);
  for (const [name, bytes] of files) {
    expect(await failed(new Map([...files].filter(([other]) => other !== name))), name).toBe(
      name !== 'SHA256SUMS.sigstore.json',
    );
    if (!/^(plan|report)\.json$|\.ndjson$/.test(name)) continue;
    const text = bytes.toString().replace(/"(run|links|exit|at)":\s*"?./, '$&x');
    const edited = new Map([...files, [name, Buffer.from(text)]] as [string, Buffer][]);
    edited.set('SHA256SUMS', Buffer.from(sumsOf(edited)));
    edited.delete('SHA256SUMS.sigstore.json');
    await expect(
      failed(edited).catch(() => true),
      name,
    ).resolves.toBe(true);
  }
});

test('the target remembers the newest manifest: no other directory takes an older one, or none', async () => {
  await pair.configure((config) => ({
    ...config,
    environment: 'staging',
    budgets: [],
    signing: { ...config.signing, manifests: 'manifests' },
  }));
  const columns = pair.config.tenants!['acme'];
  const publish = async (version: number): Promise<void> => {
    const manifest = { schemaVersion: 1, kind: 'tenant', controlPlane: pair.config.controlPlane, version };
    await mkdir(join(pair.directory, 'manifests'), { recursive: true });
    await writeFile(
      join(pair.directory, 'manifests/acme.yaml'),
      JSON.stringify({ ...manifest, tenant: { acme: columns } }),
    );
    const published = await xcrepl('policy', 'publish', 'manifests/acme.yaml', '--key', 'eve.key');
    expect(published.exitCode, published.stderr).toBe(0);
  };
  await publish(2);
  const ran = await xcrepl('replication', 'run');
  expect(ran.exitCode, ran.stderr).toBe(0);
  await rm(join(pair.directory, '.xcrepl/manifests.json'));
  await publish(1);
  for (const command of ['simulate', 'run']) {
    const refused = await xcrepl('replication', command);
    expectRefusal(refused, {
      code: 'XC-2039',
      exit: 7,
      says: [`version 2 was in force on ${TARGET_REGION}`],
    });
  }
  await publish(3);
  expect((await xcrepl('replication', 'run')).exitCode).toBe(0);
  await pair.configure(({ signing, ...config }) => ({
    ...config,
    signing: { publicKeys: signing!.publicKeys, approvals: { required: 2 } },
  }));
  expectRefusal(await xcrepl('replication', 'run'), { code: 'XC-2060', exit: 7, says: ['tenant acme'] });
  await pair.target.query('DELETE FROM xcrepl.manifests');
});

const lacks = async (program: string): Promise<boolean> =>
  (await execa('which', [program], { reject: false })).exitCode !== 0;

const signedBy = async (plan: string, ...approvers: string[]): Promise<void> => {
  expect((await xcrepl('policy', 'sign', plan, '--key', 'rita.key')).exitCode).toBe(0);
  for (const name of approvers) expect((await approve(plan, name)).exitCode).toBe(0);
};

test('in production rows are overwritten, and links and regions given up, only by approved plans', async () => {
  await pair.configure((config) => ({ ...config, environment: 'production', budgets: [] }));
  const wrong = `SELECT id FROM shop.customers WHERE full_name = 'overwritten here'`;
  await pair.target.query(
    `UPDATE shop.customers SET full_name = 'overwritten here' WHERE id = (SELECT min(id) FROM shop.customers)`,
  );
  const found = await xcrepl('replication', 'verify', '--repair-plan', 'repair.json');
  expect(found.exitCode, found.stderr).toBe(6);
  expectRefusal(await xcrepl('replication', 'run', '--plan', 'repair.json'), {
    code: 'XC-3030',
    exit: 8,
    says: ['overwrites 1 rows of shop.customers'],
  });
  expect(await pair.target.query(wrong)).toHaveLength(1);
  await signedBy('repair.json', 'alice', 'bob');
  const mended = await xcrepl('replication', 'run', '--plan', 'repair.json');
  expect(mended.exitCode, mended.stderr).toBe(0);
  expect(await pair.target.query(wrong)).toEqual([]);

  const [{ link }] = (await pair.target.query('SELECT link FROM xcrepl.links')) as [{ link: string }];
  const end = (verb: string, ...more: string[]) =>
    xcrepl('replication', verb, '--link', link, '--confirm', TARGET_REGION, ...more);
  for (const verb of ['stop', 'drop'])
    expectRefusal(await end(verb), { code: 'XC-3030', exit: 8, says: ['--out'] });
  const uninstall = await xcrepl('uninstall', '--region', TARGET_REGION, '--confirm', TARGET_REGION);
  expectRefusal(uninstall, { code: 'XC-3030', exit: 8, says: ['schema xcrepl'] });

  expect((await end('drop', '--out', 'drop.json')).exitCode).toBe(0);
  await signedBy('drop.json', 'alice');
  expectRefusal(await end('drop', '--plan', 'drop.json'), { code: 'XC-3030', exit: 8, says: ['1 given'] });
  await signedBy('drop.json', 'bob');
  expectRefusal(await end('stop', '--plan', 'drop.json'), { code: 'XC-3001', exit: 8 });
  const text = await readFile(join(pair.directory, 'drop.json'), 'utf8');
  await writeFile(join(pair.directory, 'edited.json'), text.replace('replication drop', 'replication stop'));
  expectRefusal(await end('stop', '--plan', 'edited.json'), { code: 'XC-3003', exit: 8 });
  // A link that was made again under its name is another one.
  await pair.target.query(`UPDATE xcrepl.links SET began_at = began_at + interval '1 second'`);
  expectRefusal(await end('drop', '--plan', 'drop.json'), { code: 'XC-3001', exit: 8 });
  await pair.target.query(`UPDATE xcrepl.links SET began_at = began_at - interval '1 second'`);
  expect(await pair.target.query('SELECT FROM xcrepl.links')).toHaveLength(1);

  const dropped = await end('drop', '--plan', 'drop.json');
  expect(dropped.exitCode, dropped.stderr).toBe(0);
  expect(await pair.target.query('SELECT FROM xcrepl.links')).toEqual([]);
  const again = await end('drop', '--plan', 'drop.json');
  expect([again.exitCode, again.json()]).toEqual([0, expect.objectContaining({ changed: false })]);
  const { entries } = (await xcrepl('audit', 'list')).json() as {
    entries: { action: string; facts?: object }[];
  };
  expect(entries.findLast(({ action }) => action === 'replication.drop')).toMatchObject({
    facts: { approvedBy: 'alice, bob' },
  });
});
