/** Keeps writing to the ledger: now and then transactions of many thousand rows among small ones. */

import type { Client } from 'pg';
import type { SeededRandom } from '../../../fixtures/shop/random.ts';
import { ACCOUNTS, SEATS } from './schema.ts';

interface Situation {
  readonly client: Client;
  readonly random: SeededRandom;
  /** Rows of the transactions that are meant to be large. */
  readonly large: number;
}

type Operation = (situation: Situation) => Promise<void>;

const insertSql = (rows: number, account: number, note: string): string =>
  `INSERT INTO ledger.entries SELECT nextval('ledger.entry_id'), ${account}, i, '${note}' FROM generate_series(1, ${rows}) AS i`;

const addMany: Operation = async ({ client, random, large }) => {
  await client.query(insertSql(random.between(large >> 1, large), random.between(0, ACCOUNTS - 1), 'many'));
};

/** Keeps the table from growing without end. */
const removeOldest: Operation = async ({ client, large }) => {
  await client.query(
    `DELETE FROM ledger.entries WHERE id IN (SELECT id FROM ledger.entries WHERE id > 1000000 ORDER BY id LIMIT $1)`,
    [large],
  );
};

const chargeMany: Operation = async ({ client, random }) => {
  await client.query(`UPDATE ledger.entries SET amount = amount + 1 WHERE account % 2 = $1`, [
    random.between(0, 1),
  ]);
};

/** Keys of many rows move in one statement; their large values are not sent. */
const flipKeys: Operation = async ({ client, random }) => {
  await client.query(`UPDATE ledger.entries SET id = -id WHERE account = $1 AND abs(id) % 7 = $2`, [
    random.between(0, ACCOUNTS - 1),
    random.between(0, 6),
  ]);
};

const addFew: Operation = async ({ client, random }) => {
  await client.query(insertSql(random.between(1, 20), random.between(0, ACCOUNTS - 1), 'few'));
};

const savepoints: Operation = async ({ client, random }) => {
  const account = random.between(0, ACCOUNTS - 1);
  await client.query(insertSql(random.between(1, 300), account, 'before the savepoint'));
  await client.query('SAVEPOINT one');
  await client.query(insertSql(random.between(1, 2000), account, 'never committed'));
  await client.query(`UPDATE ledger.entries SET note = 'never committed' WHERE account = $1`, [account]);
  await client.query('ROLLBACK TO SAVEPOINT one');
  await client.query('SAVEPOINT two');
  await client.query(`UPDATE ledger.entries SET amount = amount - 1 WHERE account = $1 AND abs(id) % 5 = 0`, [
    account,
  ]);
  await client.query('RELEASE SAVEPOINT two');
};

/** A large value is written, then left alone while the row, and then its key, changes. */
const largeValues: Operation = async ({ client, random }) => {
  const pick = `(SELECT id FROM ledger.entries WHERE body IS NOT NULL AND account = $1 ORDER BY id LIMIT 1)`;
  const account = random.between(0, ACCOUNTS - 1);
  const body = random.bytes(6000).toString('hex');
  await client.query(
    `INSERT INTO ledger.entries VALUES (nextval('ledger.entry_id'), $1, 1, 'with a body', $2)`,
    [account, body],
  );
  await client.query(`UPDATE ledger.entries SET note = 'touched' WHERE id = ${pick}`, [account]);
  if (random.chance(0.5))
    await client.query(
      `UPDATE ledger.entries SET id = nextval('ledger.entry_id'), amount = amount + 2 WHERE id = ${pick}`,
      [account],
    );
};

const empty: Operation = async ({ client, random }) => {
  await client.query('TRUNCATE ledger.scratch');
  await client.query(`INSERT INTO ledger.scratch SELECT i, $1 FROM generate_series(1, $2::int) AS i`, [
    `after ${random.between(1, 1e6)}`,
    random.between(0, 200),
  ]);
};

const scribble: Operation = async ({ client, random }) => {
  await client.query(
    `INSERT INTO ledger.scratch VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET v = excluded.v`,
    [random.between(1, 300), `written ${random.between(1, 1e6)}`],
  );
};

const changeLoose: Operation = async ({ client, random }) => {
  const k = random.between(0, 39);
  const some = `ctid = ANY (ARRAY(SELECT ctid FROM ledger.loose WHERE k = $1 LIMIT $2::int))`;
  await client.query(
    `INSERT INTO ledger.loose SELECT $1::int, 'equal' FROM generate_series(1, $2::int) AS i`,
    [k, random.between(0, 3)],
  );
  await client.query(`UPDATE ledger.loose SET v = $3 WHERE ${some}`, [
    k,
    random.between(0, 2),
    random.pick(['equal', 'other', null]),
  ]);
  await client.query(`DELETE FROM ledger.loose WHERE ${some}`, [random.between(0, 39), random.between(0, 2)]);
};

const note: Operation = async ({ client, random }) => {
  await client.query(
    `INSERT INTO ledger.notes (n, label) SELECT $1, 'noted' FROM generate_series(1, $2::int) AS i`,
    [random.between(1, 1e6), random.between(1, 50)],
  );
};

const rotateSeats: Operation = async ({ client, random }) => {
  const by = random.between(1, SEATS - 1);
  await client.query('UPDATE ledger.seats SET seat = -seat');
  await client.query(`UPDATE ledger.seats SET seat = 1 + (-seat + $1::int) % ${SEATS}, held = $2`, [
    by,
    `rotated by ${by}`,
  ]);
};

/** The same key goes and comes back. */
const replaceTokens: Operation = async ({ client, random }) => {
  const id = `md5('${random.between(1, 2000)}')::uuid`;
  await client.query(`DELETE FROM ledger.tokens WHERE id = ${id}`);
  if (random.chance(0.7)) await client.query(`INSERT INTO ledger.tokens VALUES (${id}, 1)`);
  await client.query(`UPDATE ledger.tokens SET uses = uses + 1 WHERE id = ${id}`);
};

const OPERATIONS: readonly (readonly [weight: number, run: Operation])[] = [
  [2, addMany],
  [2, removeOldest],
  [1, chargeMany],
  [3, flipKeys],
  [20, addFew],
  [4, savepoints],
  [6, largeValues],
  [4, empty],
  [10, scribble],
  [12, changeLoose],
  [12, note],
  [4, rotateSeats],
  [10, replaceTokens],
];

const TOTAL_WEIGHT = OPERATIONS.reduce((sum, [weight]) => sum + weight, 0);

const choose = (random: SeededRandom): Operation => {
  let left = random.between(1, TOTAL_WEIGHT);
  for (const [weight, run] of OPERATIONS) if ((left -= weight) <= 0) return run;
  throw new RangeError('a weight beyond the total');
};

/** How one in so many transactions ends: taken back, or prepared first and committed as a second step. */
const ROLLBACK_SHARE = 0.05;
const PREPARE_SHARE = 0.05;

/** One transaction. @throws when the server goes away; then it is open whether it was committed */
export const ledgerTransaction = async (situation: Situation, name: string): Promise<void> => {
  const { client, random } = situation;
  const operation = choose(random);
  await client.query('BEGIN');
  try {
    await operation(situation);
    if (random.chance(ROLLBACK_SHARE)) await client.query('ROLLBACK');
    else if (random.chance(PREPARE_SHARE)) {
      await client.query(`PREPARE TRANSACTION '${name}'`);
      await client.query(`COMMIT PREPARED '${name}'`);
    } else await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
};
