/**
 * The engine side by side with PostgreSQL's own logical replication on the same two servers, and with pgcopydb and
 * pg_recvlogical where they are installed. Every measurement ends with equal hashes of both sides.
 *
 *   npm run bench:postgres -- [--quick] [--json FILE] [--only PATH,…] [--pairs N] [--rows N]
 */

import { parseArgs } from 'node:util';
import { report, type Measured } from './pairs.ts';
import { APPLY_PATHS, measureApply } from './postgres/apply.ts';
import { measureCopies } from './postgres/copy.ts';
import { decodePath, measureDecode } from './postgres/decode.ts';
import { measureDifferences } from './postgres/differences.ts';
import { isInstalled } from './postgres/installed.ts';
import { measureLatency } from './postgres/latency.ts';
import { LIMIT_BYTES, measureHugeTransaction, measureLargeRows } from './postgres/memory.ts';
import { openScene } from './postgres/scene.ts';
import { measureScale, SCALE_PATHS } from './postgres/scale.ts';
import { startServers } from './postgres/servers.ts';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    only: { type: 'string' },
    pairs: { type: 'string', default: '5' },
    rows: { type: 'string' },
  },
});

/** Rows of one measurement; paths that are over sooner take a multiple. */
const rows = Number(flags.rows ?? (flags.quick ? 10_000 : 100_000));
const pairs = Number(flags.pairs);
const latencySeconds = flags.quick ? 1 : 5;
const hugeRows = flags.quick ? 200_000 : 10_000_000;
const largeRows = flags.quick ? 40 : 200;
const diffRows = rows * 20;

const only = flags.only?.split(',');
const wanted = (path: string): boolean => only === undefined || only.includes(path);
const anyOf = (paths: readonly string[]): boolean => paths.some(wanted);

const note = (text: string): void => void process.stderr.write(`${text}\n`);
const measured: Measured[] = [];
const peaks = new Map<string, number>();
const done = (row: Measured): void => {
  measured.push(row);
  note(`${row.path} against ${row.against}: ${row.ratioMedian.toFixed(2)}`);
};

const LATENCIES = ['latency-p50', 'latency-p99'];
const DECODES = [10, 1];

{
  await using servers = await startServers();
  if (anyOf(['copy', 'copy-redacted']))
    for (const row of await measureCopies(servers, rows * 5, pairs, wanted, note)) done(row);
  const scenePaths = [...DECODES.map(decodePath), ...APPLY_PATHS.map(({ path }) => path), ...LATENCIES];
  if (anyOf([...scenePaths, 'memory'])) {
    await using scene = await openScene(servers, rows * 2);
    const { ours } = scene;
    const hasReceiver = await isInstalled('pg_recvlogical');
    for (const per of DECODES.filter((one) => wanted(decodePath(one))))
      if (hasReceiver) done(await measureDecode(per, scene, rows * 4, pairs));
      else note(`${decodePath(per)} against pg_recvlogical: skipped: not installed`);
    for (const path of APPLY_PATHS.filter((one) => wanted(one.path)))
      done(await measureApply(path, scene, rows, pairs));
    if (anyOf(LATENCIES)) for (const row of await measureLatency(scene, latencySeconds, pairs)) done(row);
    peaks.set('decoding and applying', await ours.takePeak());
    if (wanted('memory')) {
      peaks.set(`rows of 1 MiB, ${largeRows} in a transaction`, await measureLargeRows(scene, largeRows));
      peaks.set(`one transaction of ${hugeRows} changes`, await measureHugeTransaction(scene, hugeRows));
    }
  }
  if (wanted('diff')) done(await measureDifferences(servers, diffRows, pairs));
  for (const path of SCALE_PATHS.filter(wanted)) {
    const scale = await measureScale(path, servers, rows, pairs);
    done(scale.measured);
    peaks.set(path, scale.peak);
  }
}
await report(measured, flags.json);
for (const [what, bytes] of peaks) {
  const verdict = bytes <= LIMIT_BYTES ? 'within' : 'MORE THAN';
  process.stdout.write(
    `memory of the runner, ${what}: ${(bytes / 2 ** 20).toFixed(0)} MiB at most, ${verdict} ${LIMIT_BYTES / 2 ** 20} MiB\n`,
  );
}
