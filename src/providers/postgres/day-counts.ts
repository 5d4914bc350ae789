/** Bytes per day of tenants with a budget, in the target's database. */

import type { Client } from 'pg';
import type { DayCounts } from '../../core/replication/budget-pace.ts';

/** Days that are kept: a month, for whoever asks what was used. */
const KEPT_DAYS = 31;

export const dayCounts = (client: Client): DayCounts => ({
  async add(tenant, source, day, bytes) {
    const { rows } = await client.query<{ bytes: string }>(
      `WITH old AS (DELETE FROM xcrepl.budget_days WHERE day < $3::date - ${KEPT_DAYS})
       INSERT INTO xcrepl.budget_days AS b (tenant, source, day, bytes) VALUES ($1, $2, $3, $4)
       ON CONFLICT (tenant, source, day) DO UPDATE SET bytes = b.bytes + excluded.bytes RETURNING bytes`,
      [tenant, source, day, bytes],
    );
    return Number(rows[0]?.bytes ?? 0);
  },
});

/** What was used of a day; by tenant and source. Null where the schema is older than budgets. */
export const readDay = async (client: Client, day: string): Promise<ReadonlyMap<string, number> | null> => {
  const { rows: known } = await client.query<{ table: string | null }>(
    `SELECT to_regclass('xcrepl.budget_days') AS table`,
  );
  if (known[0]?.table === null) return null;
  const { rows } = await client.query<{ tenant: string; source: string; bytes: string }>(
    'SELECT tenant, source, bytes FROM xcrepl.budget_days WHERE day = $1',
    [day],
  );
  return new Map(rows.map(({ tenant, source, bytes }) => [JSON.stringify([tenant, source]), Number(bytes)]));
};
