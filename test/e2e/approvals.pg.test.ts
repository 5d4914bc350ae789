/** Production: what destroys runs only as others approved it, and every refusal says what is missing. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePair, type Pair } from '../harness/pair.ts';
import { PASSPHRASE, writeKeys } from '../harness/signing-keys.ts';
import { TARGET_REGION } from '../servers/server-pair.ts';
import { expectRefusal } from './refusal.ts';

let pair: Pair;
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

  const done = await run('--plan', 'plan.json');
  expect(done.exitCode, done.stderr).toBe(0);
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
