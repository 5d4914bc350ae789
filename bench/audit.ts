/**
 * The audit log, the gates and keyed hashing, each side by side with what it is measured by: durable appends with fio's
 * fdatasync on the same disk, many writers with one, hashing with Node's own HMAC.
 *
 *   npm run bench:audit -- [--quick] [--json FILE] [--only PATH,…] [--pairs 15] [--directory DIR]
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { appendRate, openBenchLog, proveNewest, verifySeconds } from './audit/log.ts';
import { fdatasyncRate, hasFio } from './audit/fio.ts';
import { gatesRate } from './audit/gates.ts';
import { hmacRate, keyedHashRate } from './audit/keyed-hash.ts';
import { comparePairs, report, type Measured } from './pairs.ts';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    only: { type: 'string' },
    pairs: { type: 'string', default: '15' },
    directory: { type: 'string' },
  },
});
const pairs = Number(flags.pairs);
/** Short, and many pairs of them: what a sync costs changes by a factor of ten within seconds on a shared disk. */
const seconds = flags.quick ? 0.25 : 0.5;
const entries = flags.quick ? 20_000 : 1_000_000;
const only = flags.only?.split(',');
const wanted = (path: string): boolean => only === undefined || only.includes(path);
const note = (text: string): void => void process.stderr.write(`${text}\n`);

const percentiles = ({ p50Ms, p99Ms }: { readonly p50Ms: number; readonly p99Ms: number }): string =>
  `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms (${(p99Ms / p50Ms).toFixed(2)}×)`;

/** What is asked for, where the peer is a number and not a program. */
const VERIFY_SECONDS = 30;
const GATES_A_SECOND = 500_000;

const rows: Measured[] = [];
const directory = await mkdtemp(join(flags.directory ?? tmpdir(), 'xcrepl-bench-audit-'));
let round = 0;
const fresh = (): string => join(directory, `log-${round++}`);
const rate = (path: string, against: string, unit: string) =>
  ({ path, against, unit, ratio: 'rate', pairs }) as const;

try {
  if (wanted('append-1'))
    if (await hasFio())
      rows.push(
        await comparePairs({
          ...rate('append-1', 'fio fdatasync', 'entries/s'),
          ours: async () => ({ value: (await appendRate(fresh(), 1, seconds)).perSecond }),
          theirs: async () => {
            const { perSecond, ...latency } = await fdatasyncRate(directory, seconds);
            note(`the disk alone: ${percentiles(latency)}`);
            return { value: perSecond };
          },
        }),
      );
    else note('append-1 against fio: skipped: fio is not installed');
  if (wanted('append-64'))
    rows.push(
      await comparePairs({
        ...rate('append-64', 'append-1', 'entries/s'),
        ours: async () => {
          const { perSecond, ...latency } = await appendRate(fresh(), 64, seconds);
          note(`64 writers: ${percentiles(latency)}`);
          return { value: perSecond };
        },
        theirs: async () => ({ value: (await appendRate(fresh(), 1, seconds)).perSecond }),
      }),
    );
  if (wanted('verify-1m')) {
    const path = fresh();
    await openBenchLog(path, entries);
    note(`a proof for the newest of ${entries} entries: ${(await proveNewest(path)).toFixed(1)} ms`);
    rows.push(
      await comparePairs({
        ...rate('verify-1m', `${VERIFY_SECONDS} s for 1,000,000`, 's'),
        ratio: 'time',
        pairs: 1,
        ours: async () => ({ value: (await verifySeconds(path)) * (1_000_000 / entries) }),
        theirs: () => Promise.resolve({ value: VERIFY_SECONDS }),
      }),
    );
  }
  if (wanted('gates'))
    rows.push(
      await comparePairs({
        ...rate('gates', `${GATES_A_SECOND} a second`, 'judgements/s'),
        ours: () => Promise.resolve({ value: gatesRate(seconds) }),
        theirs: () => Promise.resolve({ value: GATES_A_SECOND }),
      }),
    );
  if (wanted('keyed-hash'))
    rows.push(
      await comparePairs({
        ...rate('keyed-hash', 'createHmac', 'fields/s'),
        ours: () => Promise.resolve({ value: keyedHashRate(seconds) }),
        theirs: () => Promise.resolve({ value: hmacRate(seconds) }),
      }),
    );
  await report(rows, flags.json);
} finally {
  await rm(directory, { recursive: true, force: true });
}
