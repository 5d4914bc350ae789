import { setTimeout as sleep } from 'node:timers/promises';
import { changeSourceContract } from '../../../../test/contracts/change-source.contract.ts';
import { makePair } from '../../../../test/harness/pair.ts';
import { parseLsn, type Lsn } from '../../../core/change/lsn.ts';
import { smallRoutes } from '../../changelog/small-log.fixture.ts';
import { systemClock } from '../../system/clock.ts';
import { connect } from '../connect.ts';
import { WireConnection } from '../wire/connection.ts';
import { ServerError } from '../wire/server-error.ts';
import { ReplicationStream } from './replication-stream.ts';

changeSourceContract(async () => {
  const pair = await makePair({
    fixture: 'empty',
    sql: 'CREATE SCHEMA app; CREATE TABLE app.t (id text PRIMARY KEY, v text); CREATE PUBLICATION contract FOR TABLE app.t',
  });
  const slot = `contract_${pair.source.database}`;
  const lsn = async (sql: string): Promise<Lsn> =>
    parseLsn((await pair.source.query<{ lsn: string }>(sql))[0]!.lsn);
  const start = await lsn(`SELECT lsn FROM pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
  return {
    start,
    async write(rows) {
      await pair.source.query(
        `INSERT INTO app.t SELECT r ->> 0, r ->> 1 FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS j (r, n) ORDER BY n`,
        [JSON.stringify(rows)],
      );
      return await lsn('SELECT pg_current_wal_flush_lsn() AS lsn');
    },
    open: (from, until) => openFree(pair.source.dsn, slot, from, until),
    async [Symbol.asyncDispose]() {
      await pair.source.query(
        `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '${slot}' AND active`,
      );
      await pair[Symbol.asyncDispose]();
    },
  };
});

const RETRY_MS = 50;
const MAX_RETRIES = 400;
const IN_USE = '55006';

/** The server notices a moment later that the reader before is gone. */
const openFree = async (
  dsn: string,
  slot: string,
  from: Lsn,
  until: Lsn | null,
): Promise<ReplicationStream> => {
  for (let retries = 0; ; retries++) {
    const connection = WireConnection.take(
      await connect(dsn, { subject: 'source', replication: 'database' }),
    );
    try {
      return await ReplicationStream.open(connection, {
        slot,
        publications: ['contract'],
        from,
        until,
        binary: false,
        clock: systemClock,
        hooks: { routes: smallRoutes },
      });
    } catch (error) {
      await connection[Symbol.asyncDispose]();
      if (!(error instanceof ServerError) || error.sqlState !== IN_USE || retries === MAX_RETRIES)
        throw error;
      await sleep(RETRY_MS);
    }
  }
};
