/** Reading and decoding a slot, rows thrown away: the product's stream against pg_recvlogical, from copies of one slot. */

import { execa } from 'execa';
import { comparePairs, type Measured, type Sample } from '../pairs.ts';
import type { TestDatabase } from '../../test/harness/test-database.ts';
import { requireChanges } from './equal.ts';
import type { Scene } from './scene.ts';
import { mark, write } from './workload.ts';

const PUBLICATION = 'bench_decode';
const SLOT = 'bench_decode';

export const decodePath = (per: number): string => `decode-${per}`;

export const measureDecode = async (
  per: number,
  { source, ours }: Scene,
  rows: number,
  pairs: number,
): Promise<Measured> => {
  await source.query(`CREATE PUBLICATION ${PUBLICATION} FOR TABLE app.t`);
  const [slot] = await source.query<{ lsn: string }>(
    `SELECT lsn::text FROM pg_create_logical_replication_slot($1, 'pgoutput')`,
    [SLOT],
  );
  const [free] = await source.query<{ id: number }>('SELECT (max(id) + 1)::int AS id FROM app.t');
  await write(source, [`CALL bench.inserts(${free!.id}, ${rows}, ${per})`]);
  await mark(source);
  const [end] = await source.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn()::text AS lsn');
  const ends = { from: slot!.lsn, until: end!.lsn };
  const measured = await comparePairs({
    path: decodePath(per),
    against: 'pg_recvlogical',
    unit: 's',
    ratio: 'speed',
    pairs,
    rows,
    ours: () =>
      onCopy(source, async (name): Promise<Sample> => {
        const drained = await ours.call('drainSlot', {
          dsn: source.dsn,
          slot: name,
          publication: PUBLICATION,
          ...ends,
        });
        requireChanges(drained.changes, rows);
        return { value: drained.seconds, cpu: drained.cpu };
      }),
    theirs: () => onCopy(source, (name) => receive(source, name, ends.until)),
  });
  await source.query('SELECT pg_drop_replication_slot($1)', [SLOT]);
  await source.query(`DROP PUBLICATION ${PUBLICATION}`);
  return measured;
};

/** A slot that is confirmed moves on; so each run reads one of its own. */
const onCopy = async (source: TestDatabase, run: (slot: string) => Promise<Sample>): Promise<Sample> => {
  const name = `${SLOT}_copy`;
  await source.query('SELECT pg_copy_logical_replication_slot($1, $2)', [SLOT, name]);
  try {
    return await run(name);
  } finally {
    await source.query('SELECT pg_drop_replication_slot($1)', [name]);
  }
};

const receive = async (source: TestDatabase, slot: string, end: string): Promise<Sample> => {
  const options = ['proto_version=1', `publication_names=${PUBLICATION}`, 'binary=true'];
  const startedMs = performance.now();
  await execa('pg_recvlogical', [
    '--dbname',
    source.dsn,
    '--slot',
    slot,
    '--start',
    '--endpos',
    end,
    '--no-loop',
    '--file',
    '/dev/null',
    ...options.flatMap((option) => ['--option', option]),
  ]);
  return { value: (performance.now() - startedMs) / 1000 };
};
