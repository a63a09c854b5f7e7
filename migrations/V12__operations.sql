-- When each kind of job runs by itself: what a person decided (null: as configured), and where the clock
-- stands. The fence grows with every slot that is taken, so that one slot is taken once.
CREATE TABLE schedules (
  job TEXT PRIMARY KEY,
  cadence TEXT,
  time_zone TEXT,
  jitter_seconds BIGINT,
  enabled BOOLEAN,
  edited_by TEXT,
  edited_at TEXT,
  basis TEXT NOT NULL,
  next_slot TEXT,
  next_run_at TEXT,
  period_seconds BIGINT,
  fence BIGINT NOT NULL,
  last_slot TEXT,
  last_run_at TEXT,
  last_status TEXT,
  last_job_id TEXT
);
-- Credentials of vendors entered in the page, sealed with a key that is not in the database.
CREATE TABLE vendor_credentials (
  system TEXT NOT NULL,
  name TEXT NOT NULL,
  sealed TEXT NOT NULL,
  key_id TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  set_by TEXT NOT NULL,
  set_at TEXT NOT NULL,
  PRIMARY KEY (system, name)
);
