-- A link of which an operator has asked to be paused, until a run has put it on a slot of its own.
ALTER TABLE xcrepl.links DROP CONSTRAINT links_state_check;
ALTER TABLE xcrepl.links ADD CONSTRAINT links_state_check CHECK (state IN
  ('copying', 'catching-up', 'streaming', 'pausing', 'paused', 'errored', 'needs-repair', 'stopping', 'dropping'));
