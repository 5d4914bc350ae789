/**
 * Mirrors of objects side by side with `rclone sync --checksum` on the same endpoints at the same concurrency; ours
 * computes, records and proves sha256 from end to end.
 *
 *   npm run bench:objects -- [--quick] [--json FILE] [--only PATH,…] [--pairs N]
 */

import { parseArgs } from 'node:util';
import { withoutCeph } from '../test/servers/ceph-rgw.ts';
import { openObjectScene, type ObjectScene, type Store } from './objects/scene.ts';
import { comparePairs, report, type Measured } from './pairs.ts';
import { isInstalled } from './postgres/installed.ts';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    only: { type: 'string' },
    pairs: { type: 'string', default: '3' },
  },
});
const pairs = Number(flags.pairs);
const only = flags.only?.split(',');
const wanted = (path: string): boolean => only === undefined || only.includes(path);
const note = (text: string): void => void process.stderr.write(`${text}\n`);

const KIB = 1024;
const MIB = 1024 * KIB;
const small = { objects: flags.quick ? 300 : 3_000, bytes: 16 * KIB };
const large = { objects: flags.quick ? 2 : 8, bytes: (flags.quick ? 32 : 128) * MIB };
const many = { objects: flags.quick ? 2_000 : 20_000, bytes: 100 };

interface Path {
  readonly path: string;
  readonly data: { readonly objects: number; readonly bytes: number };
  readonly from: Store;
  readonly to: Store;
  readonly atOnce: number;
  /** A second sync over what the first one left, which is not measured. */
  readonly again?: true;
}

const PATHS: readonly Path[] = [
  { path: 'small-32', data: small, from: 'here', to: 'there', atOnce: 32 },
  { path: 'small-64', data: small, from: 'here', to: 'there', atOnce: 64 },
  { path: 'local-small', data: small, from: 'disk', to: 'there', atOnce: 32 },
  { path: 'multipart', data: large, from: 'here', to: 'there', atOnce: 4 },
  { path: 'server-copy', data: small, from: 'here', to: 'here', atOnce: 32 },
  { path: 'nochange-20k', data: many, from: 'here', to: 'there', atOnce: 32, again: true },
];

const peaks = new Map<string, { ours: number; theirs: number }>();

const measure = async (
  scene: ObjectScene,
  { path, data, from, to, atOnce, again }: Path,
): Promise<Measured> => {
  const source = `source-${data.objects}-${data.bytes}`;
  const target = (who: string, round: number): [Store, string] => [to, `${path}-${who}-${again ? 0 : round}`];
  const peak = { ours: 0, theirs: 0 };
  peaks.set(path, peak);
  if (again)
    await Promise.all([
      scene.ours([from, source], target('ours', 0), atOnce),
      scene.rclone([from, source], target('theirs', 0), atOnce),
    ]);
  return await comparePairs({
    path,
    against: 'rclone',
    unit: 's',
    ratio: 'speed',
    pairs,
    rows: data.objects,
    ours: async (round) => {
      const sample = await scene.ours([from, source], target('ours', round), atOnce);
      peak.ours = Math.max(peak.ours, sample.peakBytes);
      return sample;
    },
    theirs: async (round) => {
      const sample = await scene.rclone([from, source], target('theirs', round), atOnce);
      peak.theirs = Math.max(peak.theirs, sample.peakBytes);
      return sample;
    },
  });
};

const missing = withoutCeph() ?? ((await isInstalled('rclone')) ? null : 'rclone is not installed');
if (missing === null) {
  await using scene = await openObjectScene();
  const rows: Measured[] = [];
  const filled = new Set<string>();
  for (const one of PATHS.filter(({ path }) => wanted(path))) {
    const source = `source-${one.data.objects}-${one.data.bytes}`;
    if (!filled.has(source)) {
      filled.add(source);
      await scene.fill(source, one.data.objects, one.data.bytes);
      // Ours, so that the store has digests of the objects, as it has after any mirror.
      await scene.ours(['disk', source], ['here', source], 32);
    }
    rows.push(await measure(scene, one));
    note(`${one.path}: ${rows.at(-1)!.ratioMedian.toFixed(2)}`);
  }
  await report(rows, flags.json);
  for (const [path, { ours, theirs }] of peaks)
    process.stdout.write(
      `memory, ${path}: ${(ours / MIB).toFixed(0)} MiB at most, rclone ${(theirs / MIB).toFixed(0)} MiB\n`,
    );
} else note(`bench:objects: skipped: ${missing}`);
