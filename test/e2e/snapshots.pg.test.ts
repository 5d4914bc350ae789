/**
 * Snapshots of a tenant's tables in a store: what is in them and what never is, that every fault of one is named, and
 * that one which was cut short goes on without sending again what is there.
 */

import { copyFile, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REDACTED_TENANT } from '../../fixtures/shop/config.ts';
import { shopTables } from '../../fixtures/shop/tables.ts';
import type { ConfigInput } from '../../src/core/config/schema.ts';
import type { Manifest } from '../../src/core/snapshot/manifest.ts';
import { makePair, type Pair } from '../harness/pair.ts';
import { digests, tableDigest } from '../harness/table-digest.ts';
import { PASSPHRASE, writeKeys } from '../harness/signing-keys.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { until } from './until.ts';

const CANARY = 'c4n4ry';
const ENV = { COSIGN_PASSWORD: PASSPHRASE };

let pair: Pair;

/** Stores below the pair's directory; the key bob signs, and alice is not trusted. */
const withStores = (config: ConfigInput): ConfigInput => ({
  ...config,
  cosign: { key: 'bob.key' },
  signing: { publicKeys: { bob: { file: 'bob.pub', scopes: ['snapshot'] } } },
  regions: Object.fromEntries(
    Object.entries(config.regions).map(([name, region]) => [
      name,
      { ...region, objects: { kind: 'local' as const, path: `store-${name}` } },
    ]),
  ),
});

beforeAll(async () => {
  pair = await makePair({ tenants: [REDACTED_TENANT, 'acme'], scale: 0.05, config: withStores });
  await writeKeys(pair.directory, 'bob');
  await writeKeys(pair.directory, 'alice');
  await pair.source.query(
    `UPDATE shop.customers SET note = '${CANARY}', email = id || '${CANARY}@x.example', phone = '${CANARY}'
      WHERE tenant_id = '${REDACTED_TENANT}'`,
  );
  await pair.source.query('VACUUM ANALYZE');
  expect((await pair.xcrepl(['init', '--region', TARGET_REGION])).exitCode).toBe(0);
});
afterAll(() => pair?.[Symbol.asyncDispose]());

const snapshot = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  pair.xcrepl(['snapshot', ...args, '-o', 'json'], { env: { ...ENV, ...env } });

interface Created {
  readonly id: string;
  readonly rows: number;
  readonly parts: number;
  readonly sentParts: number;
  readonly foundParts: number;
}

const create = async (...args: readonly string[]): Promise<Created> => {
  const made = await snapshot(['create', '--region', SOURCE_REGION, ...args]);
  expect(made.exitCode, made.stderr).toBe(0);
  return made.json() as Created;
};

const storeOf = (tenant: string, region = SOURCE_REGION): string =>
  join(pair.directory, `store-${region}`, tenant, 'snapshots');

const manifestOf = async (tenant: string, id: string, region = SOURCE_REGION): Promise<Manifest> =>
  JSON.parse(await readFile(join(storeOf(tenant, region), 'manifests', `${id}.json`), 'utf8')) as Manifest;

const pathOf = (tenant: string, key: string): string =>
  join(pair.directory, `store-${SOURCE_REGION}`, tenant, key);

const rowsIn = async (tenant: string): Promise<number> => {
  const tables = await pair.source.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
      WHERE schemaname = 'shop' AND tablename NOT IN (SELECT relname FROM pg_class WHERE relispartition)`,
  );
  let rows = 0;
  for (const { name } of tables) {
    const [counted] = await pair.source.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM ${name} WHERE tenant_id = '${tenant}'`,
    );
    rows += counted?.n ?? 0;
  }
  return rows;
};

interface Verified {
  readonly verdict: string;
  readonly partsRead: number;
  readonly faults: readonly { fault: string; code: string; table: string | null; seen: string }[];
}

const verify = async (
  id: string,
  ...more: readonly string[]
): Promise<Verified & { exit: number | null }> => {
  const seen = await snapshot(['verify', id, ...more]);
  expect(seen.stdout, seen.stderr).not.toBe('');
  return { ...(seen.json() as Verified), exit: seen.exitCode };
};

test('a snapshot has every row of its tenant as its policy leaves it, a signed manifest, and holds', async () => {
  const dry = await snapshot(['create', '--region', SOURCE_REGION, '--tenant', REDACTED_TENANT, '--dry-run']);
  expect(dry.exitCode, dry.stderr).toBe(0);
  await expect(readdir(storeOf(REDACTED_TENANT))).rejects.toMatchObject({ code: 'ENOENT' });

  const made = await create('--tenant', REDACTED_TENANT, '--chunk-bytes', '64KiB');
  expect(made.rows).toBe(await rowsIn(REDACTED_TENANT));
  expect(made.parts).toBeGreaterThan(5);
  const manifest = await manifestOf(REDACTED_TENANT, made.id);
  const customers = manifest.tables.find(({ table }) => table === 'shop.customers');
  expect(customers?.dropped).toContain('note');
  expect(customers?.columns.find(({ name }) => name === 'email')?.action).toBe('hash');
  // Only a pg_dump that is at least as new as the server is asked.
  expect('key' in manifest.ddl ? manifest.ddl.by : manifest.ddl.missing).toMatch(/pg_dump/);
  for (const { key } of manifest.parts) {
    const text = zstdDecompressSync(await readFile(pathOf(REDACTED_TENANT, key))).toString();
    expect(text).not.toContain(CANARY);
    expect(text).not.toContain('acme');
  }
  expect(await readdir(storeOf(REDACTED_TENANT))).toEqual(['manifests', 'parts']);

  expect(await verify(made.id)).toMatchObject({ exit: 0, verdict: 'pass', partsRead: made.parts });
  const few = await verify(made.id, '--sample', '30%');
  expect(few).toMatchObject({ exit: 0, verdict: 'unknown' });
  expect(few.partsRead).toBeLessThan(made.parts);
  const listed = (await snapshot(['list', '--from', SOURCE_REGION])).json() as { snapshots: unknown[] };
  expect(listed.snapshots).toMatchObject([{ id: made.id, tenant: REDACTED_TENANT, state: 'finished' }]);
  expect((await snapshot(['show', 'latest', '--tenant', REDACTED_TENANT])).json()).toMatchObject({
    id: made.id,
    merkleRoot: manifest.merkleRoot,
  });
  const log = await pair.xcrepl(['audit', 'list', '-o', 'json']);
  expect(log.stdout).toContain('snapshot.create');
});

test('each fault of a snapshot is named', async () => {
  const { id } = await create('--tenant', 'acme', '--compress', 'none', '--chunk-bytes', '64KiB');
  const other = await create('--tenant', 'acme', '--compress', 'none', '--tables', 'shop.orders');
  const { parts } = await manifestOf('acme', id);
  const [foreign] = (await manifestOf('acme', other.id)).parts;
  const large = parts.filter(({ bytes }) => bytes > 100);
  const [flipped, missing, cut, swapped, replaced] = large.map(({ key }) => pathOf('acme', key));
  expect(replaced).toBeDefined();
  const bytes = await readFile(flipped!);
  bytes[50]! ^= 1;
  await writeFile(flipped!, bytes);
  await rm(missing!);
  await truncate(cut!, 60);
  await copyFile(pathOf('acme', large[5]!.key), swapped!);
  await copyFile(pathOf('acme', foreign!.key), replaced!);
  const seen = await verify(id);
  expect(seen.exit).toBe(6);
  expect(seen.faults.map(({ fault, code }) => `${fault} ${code}`)).toEqual([
    'changed XC-5413',
    'missing XC-5412',
    'truncated XC-5413',
    'swapped XC-5413',
    'foreign XC-5413',
  ]);
  expect(seen.faults[4]?.seen).toContain(other.id);
  await rm(pathOf('acme', foreign!.key));
});

test('a manifest counts only as the trusted key signed it', async () => {
  const { id } = await create('--tenant', 'acme', '--tables', 'shop.products', '--key', 'alice.key');
  const alien = await verify(id);
  expect(alien).toMatchObject({ exit: 6, faults: [{ fault: 'manifest', code: 'XC-5411' }] });
  expect(await verify(id, '--key', 'alice.pub')).toMatchObject({ exit: 0, verdict: 'pass' });

  const manifest = join(storeOf('acme'), 'manifests', `${id}.json`);
  const text = await readFile(manifest, 'utf8');
  await writeFile(manifest, text.replace('"tenant":"acme"', '"tenant":"Acme"'));
  expect(await verify(id, '--key', 'alice.pub')).toMatchObject({ exit: 6, faults: [{ code: 'XC-5411' }] });
  await writeFile(manifest, text);
  await rm(`${manifest}.sigstore.json`);
  expect((await verify(id)).faults[0]?.seen).toContain('no signature');
  expect(await verify(id, '--unsigned')).toMatchObject({ exit: 0 });
  await rm(manifest);
  expect((await snapshot(['verify', id])).exitCode).toBe(2);
});

/** All but where they lie, which has the snapshot's id in it. */
const partsSent = async (id: string) =>
  (await manifestOf('acme', id, TARGET_REGION)).parts.map((part) => ({ ...part, key: '' }));

test('one that is killed goes on where it was, and sends nothing twice beyond the parts in flight', async () => {
  const before = pair.config;
  const budget = { tenant: 'acme', from: SOURCE_REGION, to: TARGET_REGION, bytesPerSecond: '64KiB' };
  await pair.configure((config) => ({ ...config, budgets: [budget] }));
  const form = ['--tenant', 'acme', '--to', TARGET_REGION, '--chunk-bytes', '64KiB', '--compress', 'none'];
  const args = ['create', '--region', SOURCE_REGION, ...form, '--transfers', '1'];
  const store = storeOf('acme', TARGET_REGION);
  const records = async (): Promise<number> =>
    (await readdir(store, { recursive: true }).catch((): string[] => [])).filter((path) =>
      /begun.*part-.*json$/.test(path),
    ).length;
  const running = pair.spawnXcrepl(['snapshot', ...args], { env: ENV });
  const gone = running.then(({ stderr }) => stderr);
  await until('three parts', async () => (await records()) > 2);
  running.kill('SIGKILL');
  await gone;
  const there = await records();
  await pair.configure(() => before);
  expect((await snapshot(['list', '--from', TARGET_REGION, '--tenant', 'acme'])).stdout).toContain('"begun"');

  const whole = await create(...form, '--lock-timeout', '20s');
  expect(whole.foundParts).toBe(there);
  expect(whole.sentParts).toBe(whole.parts - there);
  expect(await verify(whole.id)).toMatchObject({ exit: 0, verdict: 'pass' });
  expect(await records()).toBe(0);
  const undisturbed = await create(...form);
  expect(undisturbed.foundParts).toBe(0);
  expect(await partsSent(undisturbed.id)).toEqual(await partsSent(whole.id));
});

test('what policy or residency does not let leave is in no store', async () => {
  const before = pair.config;
  await pair.configure((config) => ({
    ...config,
    tenants: {
      ...config.tenants,
      acme: { ...config.tenants!['acme']!, residency: { zones: ['nowhere'] } },
    },
  }));
  const refused = await snapshot(
    ['create', '--region', SOURCE_REGION, '--tenant', 'acme', '--to', TARGET_REGION],
    {},
  );
  expect(refused.exitCode).toBe(7);
  expect(refused.stderr).toContain('XC-2032');
  await pair.configure(() => before);
});

interface RestoredDocument {
  readonly changed: boolean;
  readonly loaded: number;
  readonly found: number;
  readonly rows: number;
  readonly tables: readonly { table: string; into: string; verdict: string }[];
}

const restore = async (id: string, ...more: readonly string[]) => {
  const done = await snapshot(['restore', id, '--to', TARGET_REGION, ...more]);
  return { ...done, document: done.exitCode === 0 ? (done.json() as RestoredDocument) : null };
};

const OF_ACME = "tenant_id = 'acme'";
const expectEqual = async (): Promise<void> =>
  expect(await digests(pair.target, shopTables, OF_ACME)).toEqual(
    await digests(pair.source, shopTables, OF_ACME),
  );

test('a restore brings every row into empty tables, and adds to none that hold some', async () => {
  const { id, rows, parts } = await create('--tenant', 'acme', '--chunk-bytes', '64KiB');
  const done = await restore(id);
  expect(done.exitCode, done.stderr).toBe(0);
  expect(done.document).toMatchObject({ changed: true, rows, loaded: parts, found: 0 });
  expect(new Set(done.document?.tables.map(({ verdict }) => verdict))).toEqual(new Set(['pass']));
  await expectEqual();
  const again = await restore(id);
  expect(again.document).toMatchObject({ changed: false, loaded: 0, found: parts, rows });

  const other = await create('--tenant', 'acme', '--tables', 'shop.orders');
  const refused = await restore(other.id);
  expect([refused.exitCode, refused.stderr]).toEqual([7, expect.stringContaining('XC-2071')]);
  expect((await restore(other.id, '--existing', 'replace')).exitCode).toBe(13);
  await pair.target.query(`UPDATE shop.orders SET currency = 'XXX' WHERE ${OF_ACME}`);
  const replaced = await restore(other.id, '--existing', 'replace', '--confirm', TARGET_REGION);
  expect(replaced.exitCode, replaced.stderr).toBe(0);
  await expectEqual();
});

test.each(['csv', 'ndjson'] as const)(
  '%s gives back what was there, in a schema beside it',
  async (format) => {
    const { id } = await create('--tenant', 'acme', '--format', format, '--compress', 'none');
    const done = await restore(id, '--as', `beside ${format}`);
    expect(done.exitCode, done.stderr).toBe(0);
    for (const { schema, name, columns } of (await manifestOf('acme', id)).tables) {
      // Generated columns are no part of a snapshot.
      const names = columns.map((column) => column.name);
      expect(await tableDigest(pair.target, `"beside ${format}".${name}`, 'true', names)).toEqual(
        await tableDigest(pair.source, `${schema}.${name}`, OF_ACME, names),
      );
    }
  },
);

test('a damaged part is taken back, and one that is killed goes on to the same rows', async () => {
  const { id, parts } = await create('--tenant', 'acme', '--chunk-bytes', '64KiB', '--compress', 'none');
  for (const { table } of (await manifestOf('acme', id)).tables)
    await pair.target.query(`TRUNCATE ${table} CASCADE`);
  const held = (await manifestOf('acme', id)).parts.findLast(({ bytes }) => bytes > 1000)!;
  const bytes = await readFile(pathOf('acme', held.key));
  await writeFile(pathOf('acme', held.key), Buffer.from(bytes).fill('9', 500, 501));
  const damaged = await restore(id, '--transfers', '1');
  expect(damaged.exitCode).toBe(6);
  expect(damaged.stderr).toContain('XC-5403');
  const [{ n }] = (await pair.target.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM xcrepl.restored_parts WHERE snapshot = '${id}'`,
  )) as [{ n: number }];
  expect(n).toBe(held.number);

  await writeFile(pathOf('acme', held.key), bytes);
  const running = pair.spawnXcrepl(['snapshot', 'restore', id, '--to', TARGET_REGION, '--transfers', '1'], {
    env: ENV,
  });
  await new Promise((resolve) => setTimeout(resolve, 400));
  running.kill('SIGKILL');
  await running;
  const whole = await restore(id, '--lock-timeout', '20s');
  expect(whole.exitCode, whole.stderr).toBe(0);
  expect(whole.document!.loaded + whole.document!.found).toBe(parts);
  await expectEqual();
});

test('redacted values never take the place of originals', async () => {
  const { id } = await create('--tenant', REDACTED_TENANT, '--tables', 'shop.customers');
  const refused = await snapshot(['restore', id, '--to', SOURCE_REGION]);
  expect([refused.exitCode, refused.stderr]).toEqual([7, expect.stringContaining('XC-2070')]);
});

test('pruning shows first, and leaves the snapshots that are kept whole', async () => {
  await create('--tenant', 'acme', '--tables', 'shop.orders');
  const { id } = await create('--tenant', 'acme', '--tables', 'shop.products');
  const args = ['prune', '--from', SOURCE_REGION, '--tenant', 'acme', '--keep', '1'];
  const before = await readdir(storeOf('acme'), { recursive: true });
  expect((await snapshot([...args, '--dry-run'])).json()).toMatchObject({ dryRun: true, keep: [id] });
  expect((await snapshot(args)).exitCode).toBe(13);
  expect(await readdir(storeOf('acme'), { recursive: true })).toEqual(before);
  const pruned = await snapshot([...args, '--confirm', SOURCE_REGION]);
  expect(pruned.exitCode, pruned.stderr).toBe(0);
  // Directories whose files a test took away by hand are no objects.
  const files = await readdir(join(storeOf('acme'), 'parts'), { recursive: true, withFileTypes: true });
  const left = files.filter((entry) => entry.isFile()).map(({ parentPath }) => parentPath);
  expect(left.length).toBeGreaterThan(0);
  expect(left.filter((path) => !path.includes(id))).toEqual([]);
  expect(await verify(id)).toMatchObject({ exit: 0, verdict: 'pass' });
  expect((await snapshot(args)).json()).toMatchObject({ changed: false, objects: 0 });
});
