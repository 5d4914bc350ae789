/** The log of commands whose regions have object stores and no database: anchors there alone. */

import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditStatus } from '../../src/commands/audit/show-status.ts';
import { openLog } from '../../src/commands/audit/open.ts';
import { verifyThisLog } from '../../src/commands/audit/verify-this-log.ts';
import type { Host } from '../../src/commands/frame/host.ts';
import { formatCheckpoint } from '../../src/core/audit/checkpoint.ts';
import { signNote } from '../../src/core/audit/note.ts';
import { writeAnchorObject } from '../../src/core/objects/anchor-objects.ts';
import { LocalStore } from '../../src/providers/local/local-store.ts';
import { ATTACKS } from './attacks.ts';
import { auditHost } from './audit-host.ts';

let root: string;
beforeAll(async () => void (root = await mkdtemp(join(tmpdir(), 'xcrepl-anchoring-'))));
afterAll(() => rm(root, { recursive: true, force: true }));

const CREDENTIALS = { accessKeyId: 'env:KEY', secretAccessKey: 'env:SECRET' };
const local = (path: string) => ({ kind: 'local', path });

/** A command that records so many entries, and ends. */
const command = async ({ audit }: Host, entries: number): Promise<void> => {
  for (let at = 0; at < entries; at++) await audit.append({ action: 'test.act', subject: `thing ${at}` });
  await audit.close();
};

/** Sizes that are anchored in a local store. */
const anchored = async (store: string): Promise<number[]> => {
  const files = await readdir(store, { recursive: true });
  return files
    .flatMap((name) => /xcrepl\/audit\/acme\/[0-9a-f]{8}\/(\d{16})$/.exec(name)?.[1] ?? [])
    .map(Number);
};

const statusOf = async (host: Host) => (await auditStatus(host)).document as Status;
interface Status {
  readonly anchored: number;
  readonly unanchored: unknown;
  readonly places: readonly {
    readonly place: string;
    readonly anchored: number | null;
    readonly why?: string;
  }[];
}

test('a long run is anchored every 256 entries and at its end, each size once', async () => {
  const cwd = join(root, 'long');
  const { host, said } = await auditHost(cwd, [local('eu'), local('eu')]);
  await command(host, 600);
  expect(await anchored(join(cwd, 'eu'))).toEqual([256, 512, 600]);
  expect(said).toEqual([]);
  expect(await statusOf(host)).toMatchObject({ entries: 600, signed: 600, anchored: 600, unanchored: null });
  expect((await verifyThisLog(host, { offline: false })).document).toMatchObject({
    verdict: 'pass',
    anchored: 600,
    anchors: 6,
  });
});

test('an anchor that failed is told, shown with range and age, and made by the next command', async () => {
  const cwd = join(root, 'down');
  const { host, said } = await auditHost(cwd, [local('eu'), local('us')]);
  // A file where the store's directory should be: no write of it works.
  await writeFile(join(cwd, 'us'), '');
  await command(host, 3);
  expect(said.join('')).toMatch(/not anchored in region us, objects: /);
  const [eu, us] = (await statusOf(host)).places;
  expect(eu).toMatchObject({ place: 'region eu, objects', anchored: 3, unanchored: null });
  expect(us).toMatchObject({
    place: 'region us, objects',
    anchored: 0,
    unanchored: { from: 0, to: 2, ageMs: expect.any(Number) as number },
  });
  await rm(join(cwd, 'us'));
  const next = await auditHost(cwd, [local('eu'), local('us')]);
  await command(next.host, 1);
  expect(next.said).toEqual([]);
  expect(await anchored(join(cwd, 'eu'))).toEqual([3, 4]);
  expect(await anchored(join(cwd, 'us'))).toEqual([4]);
  expect(await statusOf(next.host)).toMatchObject({ anchored: 4, unanchored: null });
});

test('a store that does not answer keeps no command from working, and one that cannot be asked is unknown', async () => {
  const s3 = { kind: 's3', endpoint: 'http://127.0.0.1:1', bucket: 'acme', credentials: CREDENTIALS };
  const { host, said } = await auditHost(join(root, 'silent'), [s3]);
  await command(host, 3);
  expect(said.join('')).toMatch(/not anchored in region eu, objects: object store does not answer/);
  const unasked = { ...s3, credentials: { ...CREDENTIALS, secretAccessKey: 'env:NOT_THERE' } };
  const other = await auditHost(join(root, 'silent'), [unasked]);
  expect(await statusOf(other.host)).toMatchObject({
    anchored: 0,
    unanchored: { from: 0, to: 2 },
    places: [{ anchored: null, why: expect.stringMatching(/NOT_THERE/) as string }],
  });
  const { document, exit } = await verifyThisLog(other.host, { offline: false });
  expect(document).toMatchObject({ verdict: 'unknown', findings: [] });
  expect(exit).toBe(12);
});

test('a region whose secret is missing keeps no other one from being anchored', async () => {
  const cwd = join(root, 'secret');
  const { host, said } = await auditHost(cwd, [local('eu')]);
  const us = { zone: 'us', postgres: { dsn: 'env:NOT_THERE' } };
  const regions = { us, eu: { zone: 'eu', objects: local('eu') } };
  const config = { schemaVersion: 1, controlPlane: 'acme', environment: 'lab', regions };
  await writeFile(join(cwd, 'xcrepl.yaml'), JSON.stringify(config));
  await command(host, 2);
  expect(said.join('')).toMatch(/not anchored in region us: .*NOT_THERE/);
  expect(await anchored(join(cwd, 'eu'))).toEqual([2]);
});

const LATER = 9;
const EARLY = 5;

test.each(ATTACKS)('$name: an object store alone shows it, and where', async ({ name, change, located }) => {
  const cwd = join(root, name.replaceAll(/\W+/g, '-'));
  const path = join(cwd, '.xcrepl/audit');
  const { host } = await auditHost(cwd, [local('eu')]);
  await command(host, EARLY);
  await cp(path, join(cwd, 'earlier'), { recursive: true });
  await command((await auditHost(cwd, [local('eu')])).host, LATER - EARLY);
  expect(await anchored(join(cwd, 'eu'))).toEqual([EARLY, LATER]);
  const known = await openLog(host);
  await change({ path, earlier: join(cwd, 'earlier'), early: EARLY, open: () => known.log });
  const { document, exit } = await verifyThisLog((await auditHost(cwd, [local('eu')])).host, {
    offline: false,
  });
  const { subject, seen } = located(LATER, EARLY);
  expect(document).toMatchObject({ verdict: 'fail' });
  expect(document).toHaveProperty(
    'findings',
    expect.arrayContaining([
      expect.objectContaining({
        subject: expect.stringMatching(subject) as string,
        seen: expect.stringMatching(seen) as string,
      }),
    ]),
  );
  expect(exit).toBe(6);
});

test('another checkpoint of the same size is a second history: told by the command, found by verify', async () => {
  const cwd = join(root, 'split');
  const { host } = await auditHost(cwd, [local('eu')]);
  const { origin, keys } = await openLog(host);
  const note = await signNote(formatCheckpoint({ origin, size: 2, root: Buffer.alloc(32) }), [keys.signer]);
  await writeAnchorObject(new LocalStore(join(cwd, 'eu'), () => 0), { origin, size: 2, note });
  const { host: other, said } = await auditHost(cwd, [local('eu')]);
  await command(other, 2);
  expect(said.join('')).toMatch(/another checkpoint of 2 entries/);
  expect(await statusOf(other)).toMatchObject({
    anchored: 0,
    places: [{ anchored: null, why: /does not fit/ }],
  });
  expect((await verifyThisLog(other, { offline: false })).document).toMatchObject({
    verdict: 'fail',
    findings: [{ subject: 'region eu, objects', code: 'XC-5601' }],
  });
});

test('a control plane that was renamed beside its log is told, and nothing is appended', async () => {
  const cwd = join(root, 'renamed');
  await command((await auditHost(cwd, [local('eu')])).host, 2);
  const { host } = await auditHost(cwd, [local('eu')], 'umbra');
  const told = { code: 'XC-5290', message: /log of "acme".*controlPlane: umbra/ };
  await expect(host.audit.append({ action: 'test.act', subject: 'x' })).rejects.toMatchObject(told);
  await expect(auditStatus(host)).rejects.toMatchObject(told);
  await expect(verifyThisLog(host, { offline: true })).rejects.toMatchObject(told);
  await rm(join(cwd, '.xcrepl/audit/checkpoint'));
  await expect(auditStatus(host)).rejects.toMatchObject(told);
  const back = await auditHost(cwd, [local('eu')]);
  expect((await statusOf(back.host)) as object).toMatchObject({ entries: 2 });
});
