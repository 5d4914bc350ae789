/** PostgreSQL's own logical replication: a subscription with binary transfer and its defaults else. */

import type { TestDatabase } from '../../test/harness/test-database.ts';
import { until, type Receiver } from './receiver.ts';

/**
 * Creates publication and subscription, and waits until the tables are synchronised.
 * @param follow false for who is interested in the synchronisation alone
 */
export const subscribe = async (
  source: TestDatabase,
  target: TestDatabase,
  tables: string,
  { follow = true }: { readonly follow?: boolean } = {},
): Promise<Receiver> => {
  const name = `bench_${target.database}`;
  await source.query(`CREATE PUBLICATION ${name} FOR ${tables}`);
  await target.query(
    `CREATE SUBSCRIPTION ${name} CONNECTION '${source.dsn}' PUBLICATION ${name} WITH (binary = true)`,
  );
  await until('native table synchronisation', async () => {
    const [state] = await target.query<{ synced: boolean }>(
      `SELECT coalesce(bool_and(srsubstate IN ('s', 'r')), true) AS synced FROM pg_subscription_rel
         JOIN pg_subscription ON oid = srsubid WHERE subname = $1`,
      [name],
    );
    return state?.synced === true;
  });
  const workers = async (): Promise<number[]> => {
    const rows = await target.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_subscription WHERE subname = $1 AND pid IS NOT NULL`,
      [name],
    );
    return rows.map(({ pid }) => pid);
  };
  const senders = async (): Promise<number[]> => {
    const rows = await source.query<{ pid: number }>(
      `SELECT active_pid AS pid FROM pg_replication_slots WHERE slot_name = $1 AND active_pid IS NOT NULL`,
      [name],
    );
    return rows.map(({ pid }) => pid);
  };
  const receiver: Receiver = {
    source,
    target,
    processes: async () => ({ walsender: await senders(), backend: await workers() }),
    async start() {
      await target.query(`ALTER SUBSCRIPTION ${name} ENABLE`);
      await until(
        'the apply worker',
        async () => (await workers()).length > 0 && (await senders()).length > 0,
      );
    },
    async stop() {
      await target.query(`ALTER SUBSCRIPTION ${name} DISABLE`);
      await until('the end of the apply worker', async () => (await senders()).length === 0);
    },
    async drop() {
      await target.query(`DROP SUBSCRIPTION ${name}`);
      await source.query(`DROP PUBLICATION ${name}`);
    },
  };
  if (follow) await receiver.start();
  return receiver;
};
