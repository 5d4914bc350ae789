-- Where a rule's tables lie on the target, as they were called when the first link of the rule was copied: a map that is
-- changed afterwards would send changes to a table that has no copy. Rules without a map have no rows.
CREATE TABLE xcrepl.rule_places (
  stream       text NOT NULL REFERENCES xcrepl.streams ON DELETE CASCADE,
  rule         text NOT NULL,
  table_name   text NOT NULL,
  target_table text NOT NULL,
  -- Target column by source column.
  columns      jsonb NOT NULL,
  PRIMARY KEY (stream, rule, table_name)
);
