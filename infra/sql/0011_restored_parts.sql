-- Parts of a snapshot that a restore has put into tables, each written in the transaction of its rows: a restore that was
-- cut short goes on behind them, and what they brought is compared with what the tables hold.
CREATE TABLE xcrepl.restored_parts (
  snapshot    text        NOT NULL,
  -- The schema of --as; '' where tables are those of the snapshot.
  into_schema text        NOT NULL,
  part        integer     NOT NULL,
  table_name  text        NOT NULL,
  rows        bigint      NOT NULL,
  -- Sum over its rows, whatever their order: 16 hexadecimal digits.
  digest      text        NOT NULL,
  restored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (snapshot, into_schema, part)
);
