-- What was last carried of each sequence that columns of a rule's tables draw from; for status.
CREATE TABLE xcrepl.sequences (
  stream       text NOT NULL REFERENCES xcrepl.streams ON DELETE CASCADE,
  -- schema.name at the source.
  sequence     text NOT NULL,
  -- schema.name on the target; NULL where it has none.
  target       text,
  source_value numeric,
  target_value numeric,
  -- Why it could not be carried; NULL where it was.
  why          text,
  carried_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (stream, sequence)
);

-- Brings a sequence to a value, in its own direction and never back, also beside sessions that draw from it: a short way
-- is gone by drawing, which nothing can overtake; a long one is jumped, because nobody draws that many in between.
CREATE FUNCTION xcrepl.raise_sequence(p_sequence oid, p_value numeric) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
  s pg_catalog.pg_sequence;
  last numeric;
  wanted numeric;
  steps numeric;
BEGIN
  SELECT * INTO STRICT s FROM pg_catalog.pg_sequence WHERE seqrelid = p_sequence;
  last := coalesce(pg_sequence_last_value(p_sequence::regclass)::numeric, s.seqstart::numeric - s.seqincrement);
  wanted := least(greatest(p_value, s.seqmin), s.seqmax);
  steps := ceil((wanted - last) / s.seqincrement);
  IF steps > 0 AND last + steps * s.seqincrement NOT BETWEEN s.seqmin AND s.seqmax THEN
    steps := steps - 1;
  END IF;
  IF steps > 1000 THEN
    PERFORM setval(p_sequence::regclass, wanted::bigint);
  ELSIF steps > 0 THEN
    PERFORM nextval(p_sequence::regclass) FROM generate_series(1, steps::int);
  END IF;
  RETURN coalesce(pg_sequence_last_value(p_sequence::regclass)::numeric, last);
END $$;
