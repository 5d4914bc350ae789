-- The sign of life of the run that holds a stream, by this server's clock, and the sessions that the run has on both
-- servers, by pid and start: a run that stands by ends exactly these once nothing was heard from it for too long.
ALTER TABLE xcrepl.streams
  ADD COLUMN beat_at  timestamptz,
  -- Whose sign it is: a run of a program that gives none must not look as dead as the one before it.
  ADD COLUMN beat_run text,
  -- [{"side": "source", "pid": 4711, "since": "2026-01-31 10:00:00.123456+00"}, ...]
  ADD COLUMN sessions jsonb NOT NULL DEFAULT '[]';
