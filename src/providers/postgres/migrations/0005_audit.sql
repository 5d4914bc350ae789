-- Signed checkpoints of audit logs that lie elsewhere: whoever changes or cuts such a log cannot change these.
CREATE TABLE xcrepl.audit_anchors (
  origin      text NOT NULL,
  size        bigint NOT NULL,
  -- The signed note (C2SP tlog-checkpoint).
  note        text NOT NULL,
  anchored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (origin, size)
);

-- The log that has taken the row over, so that no other one appends it too; the row goes once it is durable there.
ALTER TABLE xcrepl.audit_outbox ADD COLUMN claimed_by text;
