-- When a link was begun: what was approved for one is not good for another that has its name.
ALTER TABLE xcrepl.links ADD COLUMN began_at timestamptz NOT NULL DEFAULT clock_timestamp();

-- The newest version of each signed manifest that was in force here, whichever host and directory it was run from: an
-- older one is refused, and what a manifest said is not left to an unsigned file again.
CREATE TABLE xcrepl.manifests (
  control_plane text NOT NULL,
  -- "tenant/acme", "replication/shop".
  name          text NOT NULL,
  version       bigint NOT NULL,
  -- "sha256:..." of the file.
  digest        text NOT NULL,
  -- The tenant, or the ids of the rules, that it speaks of.
  speaks_of     text[] NOT NULL,
  since         timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (control_plane, name)
);
