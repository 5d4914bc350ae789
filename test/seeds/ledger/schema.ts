/**
 * A tenant with a schema of its own, so that its tables are published without a row filter: what the shop does not
 * have (TRUNCATE, rows without any key, identity FULL, keys that move in bulk) and transactions of many rows.
 */

export const LEDGER_TENANT = 'ledger';

export const ledgerSchemaSql = `
CREATE SCHEMA ledger;

CREATE TABLE ledger.entries (
  id      bigint PRIMARY KEY,
  account integer NOT NULL,
  amount  numeric(14,2) NOT NULL,
  note    text,
  body    text
);
-- Stored out of line, and so not sent when it is unchanged.
ALTER TABLE ledger.entries ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX entries_account ON ledger.entries (account);
CREATE SEQUENCE ledger.entry_id START 1000001;

-- A second unique constraint, whose values move between rows within one transaction.
CREATE TABLE ledger.seats (
  id   integer PRIMARY KEY,
  seat integer NOT NULL UNIQUE,
  held text
);

CREATE TABLE ledger.tokens (
  id   uuid PRIMARY KEY,
  uses integer NOT NULL DEFAULT 0
);

-- Emptied by TRUNCATE.
CREATE TABLE ledger.scratch (
  id integer PRIMARY KEY,
  v  text
);

-- Rows that are equal to each other, told apart by nothing.
CREATE TABLE ledger.loose (
  k integer NOT NULL,
  v text
);
ALTER TABLE ledger.loose REPLICA IDENTITY FULL;

-- No identity at all: only inserts are carried, and a row that came twice stays.
CREATE TABLE ledger.notes (
  at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  n     integer NOT NULL,
  label text
);
`;

export const ledgerTables: readonly string[] = [
  'ledger.entries',
  'ledger.seats',
  'ledger.tokens',
  'ledger.scratch',
  'ledger.loose',
  'ledger.notes',
];

/** Accounts that entries are spread over. */
export const ACCOUNTS = 20;
export const SEATS = 60;

/** @param rows about how many entries there are; the other tables have a share of that */
export const fillLedger = async (query: (sql: string) => Promise<unknown>, rows: number): Promise<void> => {
  await query(`
    INSERT INTO ledger.entries
      SELECT i, i % ${ACCOUNTS}, (i % 997) / 10.0, 'entry ' || i, CASE WHEN i % 200 = 0 THEN repeat(md5(i::text), 300) END
        FROM generate_series(1, ${rows}) AS i;
    INSERT INTO ledger.seats SELECT i, i, 'nobody' FROM generate_series(1, ${SEATS}) AS i;
    INSERT INTO ledger.tokens SELECT md5(i::text)::uuid, 0 FROM generate_series(1, ${Math.ceil(rows / 4)}) AS i;
    INSERT INTO ledger.scratch SELECT i, 'at first' FROM generate_series(1, 100) AS i;
    INSERT INTO ledger.loose SELECT i % 40, 'equal' FROM generate_series(1, 400) AS i;
    INSERT INTO ledger.notes (n, label) SELECT i / 2, 'at first' FROM generate_series(1, ${Math.ceil(rows / 2)}) AS i;
    ANALYZE ledger.entries, ledger.seats, ledger.tokens, ledger.scratch, ledger.loose, ledger.notes;
  `);
};
