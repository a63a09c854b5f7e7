-- What a job said while it ran, in order.
CREATE TABLE job_log (
  job_id TEXT NOT NULL,
  n BIGINT NOT NULL,
  at TEXT NOT NULL,
  level TEXT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (job_id, n)
);
-- A run whose changes a person took back.
ALTER TABLE sync_runs ADD COLUMN undone_at TEXT;
ALTER TABLE sync_runs ADD COLUMN undone_by TEXT;
