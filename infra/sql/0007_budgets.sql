-- Bytes that tenants took from a source region on one day (UTC), over all runs, for those with a budget of bytes per day.
CREATE TABLE xcrepl.budget_days (
  tenant text   NOT NULL,
  source text   NOT NULL,
  day    date   NOT NULL,
  bytes  bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, source, day)
);
