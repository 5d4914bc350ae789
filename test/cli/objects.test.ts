/** `objects sync` and `check` over directories, as an operator runs them. */

import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { folder, run, start, type Ended, type Folder } from './spawn.ts';

const CONFIG = `schemaVersion: 1
controlPlane: acme
environment: staging
regions:
  us: { zone: us, initialRole: primary, objects: { kind: local, path: us } }
  eu: { zone: eu, objects: { kind: local, path: eu } }
  moon: { zone: moon, objects: { kind: local, path: moon } }
tenants:
  acme: { scope: { kind: column, column: tenant_id, value: acme }, residency: { zones: [us, eu] } }
  umbra: { scope: { kind: column, column: tenant_id, value: umbra } }
rules:
  - { id: photos, tenants: [acme], prefixes: [photos/], from: us, to: [eu] }
budgets:
  - { tenant: umbra, from: us, to: eu, bytesPerDay: 1GiB }
`;

interface Report {
  readonly exit: number;
  readonly mirrors: readonly {
    readonly outcome: string;
    readonly totals: { readonly objects: Readonly<Record<string, number>> };
    readonly result: Readonly<Record<string, number>> | null;
    readonly failures: readonly { readonly key: string; readonly code: string }[];
    readonly manifest: { readonly objects: number; readonly digest: string; readonly key: string } | null;
  }[];
}

let place: Folder;
beforeAll(async () => {
  place = await folder();
  await place.write('xcrepl.yaml', CONFIG);
});
afterAll(async () => await place?.[Symbol.asyncDispose]());
beforeEach(async () => {
  for (const region of ['us', 'eu', 'moon'])
    await rm(join(place.path, region), { recursive: true, force: true });
});

const xcrepl = async (...args: string[]): Promise<Ended> => await run(args, { cwd: place.path });
const reported = async (...args: string[]): Promise<Report & { readonly ended: Ended }> => {
  const ended = await xcrepl(...args, '-o', 'json');
  try {
    return { ...(JSON.parse(ended.stdout) as Report), ended };
  } catch {
    throw new Error(`exit ${ended.exit}: ${ended.stdout}${ended.stderr}`);
  }
};

const put = async (path: string, text: string | Uint8Array): Promise<void> => {
  await mkdir(dirname(join(place.path, path)), { recursive: true });
  await writeFile(join(place.path, path), text);
};

/** Files below a directory without the program's own, by path. */
const filesOf = async (directory: string): Promise<Record<string, string>> => {
  const at = join(place.path, directory);
  const names = await readdir(at, { recursive: true, withFileTypes: true }).catch(() => []);
  const found: Record<string, string> = {};
  for (const entry of names) {
    const path = join(entry.parentPath, entry.name).slice(at.length + 1);
    if (!entry.isFile() || path.split('/').some((part) => /^\.?xcrepl$/.test(part))) continue;
    found[path] = createHash('sha256')
      .update(await readFile(join(at, path)))
      .digest('hex');
  }
  return found;
};

describe('objects', () => {
  test('a plan that was reviewed is done, and nothing else; then there is nothing to do', async () => {
    for (const name of ['a', 'b', 'c/d']) await put(`us/acme/photos/${name}`, name);
    await put('us/umbra/photos/x', 'another tenant’s');
    await put('eu/acme/photos/b', 'older');
    await put('eu/acme/photos/extra', 'only here');
    await put('eu/acme/photos/kept.tmp', 'filtered');
    const before = await filesOf('.');
    const filter = ['--exclude', '*.tmp'];
    const words = ['objects', 'sync', 'photos', ...filter];
    const planned = await reported(...words, '--dry-run', '--out', 'plan.json');
    expect(planned.mirrors[0]).toMatchObject({
      outcome: 'planned',
      totals: { objects: { copy: 2, replace: 1, delete: 1, same: 0, unknown: 0 } },
    });
    const { 'plan.json': plan, ...after } = await filesOf('.');
    expect({ plan: plan !== undefined, after }).toEqual({ plan: true, after: before });
    // Not in the plan, so not done.
    await put('us/acme/photos/later', 'later');
    const done = await reported('objects', 'sync', '--plan', 'plan.json', '--metrics-textfile', 'm.prom');
    expect(done).toMatchObject({ exit: 0 });
    expect(done.mirrors[0]).toMatchObject({
      outcome: 'done',
      result: { copied: 2, replaced: 1, deleted: 1, failed: 0, meanwhileTotal: 1 },
      manifest: { objects: 3 },
    });
    expect(Object.keys(await filesOf('eu/acme'))).toEqual(
      expect.arrayContaining(['photos/a', 'photos/b', 'photos/c/d', 'photos/kept.tmp']),
    );
    expect(Object.keys(await filesOf('eu/acme'))).toHaveLength(4);
    const metrics = await readFile(join(place.path, 'm.prom'), 'utf8');
    expect(metrics).toContain('xcrepl_mirror_operations_replicated{from="us",to="eu"} 3');
    expect(metrics).toMatch(/xcrepl_mirror_last_success_timestamp_seconds\{from="us",to="eu"\} \d{10}/);

    expect((await reported(...words)).mirrors[0]).toMatchObject({ outcome: 'done', result: { copied: 1 } });
    expect((await reported(...words)).mirrors[0]).toMatchObject({
      outcome: 'no-change',
      manifest: { objects: 4 },
    });
    const log = await xcrepl('audit', 'list', '-o', 'json');
    expect(log.stdout).toContain('objects.sync-begin');
    expect((await xcrepl('audit', 'verify')).exit).toBe(0);

    // The same plan again: every version that it is bound to has moved on.
    const again = await reported('objects', 'sync', '--plan', 'plan.json');
    expect(again.exit).not.toBe(0);
    const edited = (await readFile(join(place.path, 'plan.json'), 'utf8')).replace('"delete"', '"same"');
    await place.write('edited.json', edited);
    expect((await xcrepl('objects', 'sync', '--plan', 'edited.json')).stderr).toMatch(/XC-(3003|1303)/);
  });

  test('check prints a sign for each key; with --download a flipped byte is found that no record tells', async () => {
    for (const name of ['same', 'flipped', 'gone', 'line\nbreak']) await put(`us/acme/photos/${name}`, name);
    expect((await reported('objects', 'sync', 'photos')).exit).toBe(0);
    const path = join(place.path, 'eu/acme/photos/flipped');
    // What a failing disk does: other bytes, and every record of them as before.
    const { atime, mtime, mtimeMs } = await stat(path);
    await writeFile(path, 'flopped');
    await utimes(path, atime, mtime);
    await rm(join(place.path, 'eu/acme/photos/gone'));
    await put('eu/acme/photos/extra', 'extra');
    expect(Math.abs((await stat(path)).mtimeMs - mtimeMs)).toBeLessThan(1);
    const read = await xcrepl(
      'objects',
      'check',
      'photos',
      '--combined',
      '--download',
      '--out',
      'check.json',
    );
    expect(read).toMatchObject({
      exit: 6,
      stdout: '- extra\n* flipped\n+ gone\n= "line\\nbreak"\n= same\n',
    });
    expect(JSON.parse(await readFile(join(place.path, 'check.json'), 'utf8'))).toMatchObject({
      verdict: 'fail',
      compared: 'bytes',
      mirrors: [{ counts: { '=': 2, '-': 1, '+': 1, '*': 1, '!': 0 } }],
    });
  });

  test('guards and gates stop it before anything is done', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await put(`us/acme/photos/${name}`, name);
    expect((await reported('objects', 'sync', 'photos')).exit).toBe(0);
    for (const name of ['a', 'b', 'c']) await rm(join(place.path, 'us/acme/photos', name));
    const before = await filesOf('eu/acme');
    const refusals: [string[], string, number][] = [
      [['photos'], 'XC-2080', 7],
      [['photos', '--check-access'], 'XC-2083', 7],
      [['us:none/', 'eu:photos/', '--tenant', 'acme'], 'XC-2081', 7],
      [['us:photos/', 'moon:photos/', '--tenant', 'acme'], 'XC-2032', 7],
      [['us:acme/photos/', 'eu:'], 'XC-2084', 7],
      [['us:photos/', 'us:photos/copy/', '--tenant', 'acme'], 'XC-2085', 7],
      [['photos', '--include', '{a'], 'XC-1071', 2],
      [['us', 'eu:'], 'XC-1070', 2],
    ];
    for (const [args, code, exit] of refusals) {
      const ended = await xcrepl('objects', 'sync', ...args);
      expect({ args, exit: ended.exit, said: ended.stderr.includes(code) }).toEqual({
        args,
        exit,
        said: true,
      });
    }
    expect(await filesOf('eu/acme')).toEqual(before);
    expect(await filesOf('moon/acme')).toEqual({});
    await put('us/acme/photos/d', 'D');
    await put('us/acme/photos/e', 'e');
    const immutable = await reported('objects', 'sync', 'photos', '--immutable', '--max-delete', '75%');
    expect(immutable).toMatchObject({ exit: 3 });
    expect(immutable.mirrors[0]).toMatchObject({
      failures: [{ key: 'd', code: 'XC-2082' }],
      result: { deleted: 0 },
    });
  });

  test('killed in the middle it goes on: equal at the end, and nothing sent twice but parts that were on their way', async () => {
    const sizes = { small: 1_000_000, large: 40 * 2 ** 20 };
    for (const [name, bytes] of Object.entries(sizes))
      await put(`us/umbra/photos/${name}`, randomBytes(bytes));
    const words = ['objects', 'sync', 'us:photos/', 'eu:photos/', '--tenant', 'umbra'];
    const first = start([...words, '--bwlimit', '12MiB'], { cwd: place.path });
    const uploads = join(place.path, 'eu/umbra/.xcrepl/uploads');
    const parts = async (): Promise<number[]> => {
      const names = await readdir(uploads, { recursive: true }).catch(() => []);
      return names.flatMap((name) => {
        const [, bytes] = /\/\d+\.(\d+)\.[0-9a-f]{64}$/.exec(name) ?? [];
        return bytes === undefined ? [] : [Number(bytes)];
      });
    };
    while ((await parts()).length < 2) await sleep(20);
    // A second one meanwhile is told who is at work.
    const second = await xcrepl(...words);
    expect(second).toMatchObject({ exit: 11 });
    expect(second.stderr).toContain(`pid ${first.child.pid}`);
    first.child.kill('SIGKILL');
    await first.ended;
    const there = await parts();
    expect(await filesOf('eu/umbra')).not.toHaveProperty('photos/large');
    const resumed = await reported(...words);
    expect(resumed).toMatchObject({ exit: 0 });
    const whole = await filesOf('us/umbra');
    expect(await filesOf('eu/umbra')).toEqual(whole);
    const sent = resumed.mirrors[0]!.result!['bytesSent']!;
    const smallAgain = resumed.mirrors[0]!.totals.objects['copy'] === 2 ? sizes.small : 0;
    expect(sent).toBe(sizes.large - there.reduce((sum, bytes) => sum + bytes, 0) + smallAgain);
    expect(await parts()).toEqual([]);
    // Counted in the store, since the region has no database (P6).
    expect(await xcrepl('objects', 'check', ...words.slice(2), '--download')).toMatchObject({ exit: 0 });
  });
});
