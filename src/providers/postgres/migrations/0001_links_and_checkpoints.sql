-- What must be consistent with the rows lives with the rows: this schema is in the target database of every stream.

CREATE TABLE xcrepl.meta (
  key   text PRIMARY KEY,
  value text NOT NULL
);

-- One row a stream: who drains it. A run takes it over by writing its own name here and in every checkpoint of the
-- stream; from then on a transaction of any earlier run fails, whatever that run believes.
CREATE TABLE xcrepl.streams (
  stream          text PRIMARY KEY,
  control_plane   text NOT NULL,
  source_region   text NOT NULL,
  source_database text NOT NULL,
  target_region   text NOT NULL,
  target_database text NOT NULL,
  source_system   text NOT NULL,
  source_timeline integer NOT NULL,
  runner          text,
  runner_since    timestamptz,
  created_at      timestamptz NOT NULL DEFAULT now()
);

-- The position up to which a slot's changes are durable here. "runner" fences: see xcrepl.advance().
CREATE TABLE xcrepl.checkpoints (
  slot            text PRIMARY KEY,
  stream          text NOT NULL REFERENCES xcrepl.streams,
  position        pg_lsn NOT NULL,
  -- Commit time at the source of the newest transaction applied; NULL until the first.
  source_commit   timestamptz,
  runner          text,
  updated_at      timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

CREATE TABLE xcrepl.links (
  link            text PRIMARY KEY,
  stream          text NOT NULL REFERENCES xcrepl.streams,
  rule            text NOT NULL,
  tenant          text NOT NULL,
  source_region   text NOT NULL,
  target_region   text NOT NULL,
  -- Slot that carries the link now: the stream's own, or a side slot while it joins.
  slot            text NOT NULL,
  -- Transactions that commit at or before this position are in the copy, not in the stream.
  from_position   pg_lsn,
  -- Set when the copy had more than one snapshot: consistent only past this position.
  consistent_at   pg_lsn,
  state           text NOT NULL CHECK (state IN
                    ('copying', 'catching-up', 'streaming', 'paused', 'errored', 'needs-repair', 'stopping', 'dropping')),
  -- What the state rests on, for people and scripts: error code and subject of an errored link, for instance.
  detail          jsonb NOT NULL DEFAULT '{}',
  last_success_at timestamptz,
  verified_at     timestamptz,
  verdict         text CHECK (verdict IN ('pass', 'fail', 'unknown')),
  updated_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX links_stream ON xcrepl.links (stream);

-- Counts by table since the link began, written in a transaction that also holds the newest of the changes counted.
-- A runner writes them at most once a second, so a killed one may leave out what it applied in its last second.
CREATE TABLE xcrepl.link_tables (
  link         text NOT NULL REFERENCES xcrepl.links ON DELETE CASCADE,
  table_name   text NOT NULL,
  copied_rows  bigint NOT NULL DEFAULT 0,
  copied_bytes bigint NOT NULL DEFAULT 0,
  inserts      bigint NOT NULL DEFAULT 0,
  updates      bigint NOT NULL DEFAULT 0,
  deletes      bigint NOT NULL DEFAULT 0,
  bytes        bigint NOT NULL DEFAULT 0,
  -- Changes that met another state of the row than the source's, and were resolved by rule.
  conflicts    bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (link, table_name)
) WITH (fillfactor = 50);

-- One row a chunk of the initial copy. "snapshot" is pg_current_snapshot() at the source: a streamed transaction that
-- it already sees is skipped for this chunk's keys.
CREATE TABLE xcrepl.copy_chunks (
  slot         text NOT NULL,
  table_name   text NOT NULL,
  chunk        integer NOT NULL,
  links        text[] NOT NULL,
  -- Column by which the table is cut, and the half-open range [lower, upper) of its text values; NULL is open.
  cut_column   text,
  lower_bound  text,
  upper_bound  text,
  snapshot     text,
  position     pg_lsn,
  rows         bigint,
  bytes        bigint,
  done_at      timestamptz,
  runner       text,
  PRIMARY KEY (slot, table_name, chunk)
);

-- Write authority by scope ("region" or "tenant:NAME"); only grows. The sequence carries the region's, because a
-- sequence is not bound to a transaction's snapshot and so cannot be read stale.
CREATE TABLE xcrepl.epochs (
  scope      text PRIMARY KEY,
  epoch      bigint NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- It is moved with setval() only: nextval() writes 32 values ahead to the log, so that a crash of the server would
-- look like another holder of the authority.
CREATE SEQUENCE xcrepl.epoch AS bigint MINVALUE 1 START 1;
INSERT INTO xcrepl.epochs (scope, epoch) VALUES ('region', setval('xcrepl.epoch', 1));

-- What the audit log will hold, written in the transaction that it tells of and appended to the log's files once.
CREATE TABLE xcrepl.audit_outbox (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  stream    text,
  run       text NOT NULL,
  action    text NOT NULL,
  subject   text NOT NULL,
  -- Hashes, counts and positions only; never a value of a row.
  facts     jsonb NOT NULL DEFAULT '{}',
  at        timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- One row a run, for status and for the holder's name when a lock is met.
CREATE TABLE xcrepl.replication_jobs (
  run         text PRIMARY KEY,
  stream      text NOT NULL,
  kind        text NOT NULL,
  host        text NOT NULL,
  pid         integer NOT NULL,
  started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at    timestamptz,
  outcome     text,
  -- Lag quantiles and rates as last measured; for status.
  measures    jsonb NOT NULL DEFAULT '{}'
);

-- Called in every target transaction of a runner: refuses it when a newer epoch exists or another run has taken over,
-- and moves the checkpoint. The checkpoint's row lock makes a takeover and a transaction under way wait for each other.
CREATE FUNCTION xcrepl.advance(
  p_slot text, p_runner text, p_epoch bigint, p_position pg_lsn, p_source_commit timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  newest bigint;
BEGIN
  SELECT last_value INTO newest FROM xcrepl.epoch;
  IF newest <> p_epoch THEN
    RAISE EXCEPTION 'epoch is %, this run holds %', newest, p_epoch USING ERRCODE = 'XC008';
  END IF;
  UPDATE xcrepl.checkpoints
     SET position = greatest(position, p_position),
         source_commit = coalesce(p_source_commit, source_commit),
         updated_at = clock_timestamp()
   WHERE slot = p_slot AND runner = p_runner;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'slot % is drained by another run', p_slot USING ERRCODE = 'XC011';
  END IF;
END $$;

-- Refuses a batch whose updates did not all find their row, before it can commit.
CREATE FUNCTION xcrepl.expect(p_actual bigint, p_wanted bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF p_actual <> p_wanted THEN
    RAISE EXCEPTION '% of % rows were there', p_actual, p_wanted USING ERRCODE = 'XC020';
  END IF;
END $$;

-- Records a chunk in the transaction that holds its rows; refuses it when another run has taken the copy over.
CREATE FUNCTION xcrepl.finish_chunk(
  p_slot text, p_table text, p_chunk integer, p_runner text, p_snapshot text, p_position pg_lsn, p_rows bigint, p_bytes bigint
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE xcrepl.copy_chunks
     SET snapshot = p_snapshot, position = p_position, rows = p_rows, bytes = p_bytes, done_at = clock_timestamp()
   WHERE slot = p_slot AND table_name = p_table AND chunk = p_chunk AND runner = p_runner AND done_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'chunk % of % is copied by another run', p_chunk, p_table USING ERRCODE = 'XC011';
  END IF;
END $$;
