-- Which tables each link carries. A table is named by its OID at the source: renamed it is the same one, and made again
-- under its name it is another, whose rows have yet to be copied.
CREATE TABLE xcrepl.carried_tables (
  link          text NOT NULL REFERENCES xcrepl.links ON DELETE CASCADE,
  relation      bigint NOT NULL,
  -- What it was called when it was copied.
  table_name    text NOT NULL,
  -- Side slot of a table that joins; NULL once it is on the link's own.
  slot          text,
  -- Transactions that commit at or before this position are in the table's copy; NULL where the link's own says it.
  from_position pg_lsn,
  -- Position at which the copy of a joining table is consistent; NULL until all of it is there.
  consistent_at pg_lsn,
  PRIMARY KEY (link, relation)
);
CREATE INDEX carried_tables_slot ON xcrepl.carried_tables (slot) WHERE slot IS NOT NULL;

-- False for links that were copied before their tables were written down; their publication says it once more.
ALTER TABLE xcrepl.links ADD COLUMN tables_known boolean NOT NULL DEFAULT false;
