/**
 * The engine side by side with PostgreSQL's own logical replication on the same two servers, and with pgcopydb and
 * pg_recvlogical where they are installed. Every measurement ends with equal hashes of both sides.
 *
 *   npm run bench:postgres -- [--quick] [--json FILE] [--only PATH,…] [--pairs N]
 */

import { parseArgs } from 'node:util';
import { report, type Measured } from './pairs.ts';
import { APPLY_PATHS, measureApply } from './postgres/apply.ts';
import { measureCopies } from './postgres/copy.ts';
import { decodePath, measureDecode } from './postgres/decode.ts';
import { openScene } from './postgres/scene.ts';
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
const rows = Number(flags.rows ?? (flags.quick ? 20_000 : 100_000));
const pairs = Number(flags.pairs);
const only = flags.only?.split(',');
const wanted = (path: string): boolean => only === undefined || only.includes(path);

const note = (text: string): void => void process.stderr.write(`${text}\n`);

const measured: Measured[] = [];
await using servers = await startServers();
if (wanted('copy') || wanted('copy-redacted'))
  measured.push(...(await measureCopies(servers, rows * 5, pairs, wanted, note)));
{
  await using scene = await openScene(servers, rows * 2);
  for (const per of [10, 1])
    if (wanted(decodePath(per))) measured.push(await measureDecode(per, scene, rows * 4, pairs));
  for (const path of APPLY_PATHS)
    if (wanted(path.path)) measured.push(await measureApply(path, scene, rows, pairs));
}
await report(measured, flags.json);
