-- What was last seen of each table of a stream's source: columns by number with the names that they had, the files that
-- its rows lie in, its partitions. What changes there and is not sent is seen by comparing.
CREATE TABLE xcrepl.table_shapes (
  stream     text NOT NULL REFERENCES xcrepl.streams ON DELETE CASCADE,
  -- OID of the table at the source: it stays when the table is renamed, and goes with it.
  relation   bigint NOT NULL,
  table_name text NOT NULL,
  shape      jsonb NOT NULL,
  noted_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (stream, relation)
);
