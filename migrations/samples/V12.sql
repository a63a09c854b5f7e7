INSERT INTO schedules (job, cadence, basis, next_slot, next_run_at, period_seconds, fence, last_slot, last_run_at, last_status, last_job_id)
  VALUES ('freshservice', 'every 4h', 'every 4h|UTC|0', '2026-11-21T16:00:00Z', '2026-11-21T16:00:00Z', 14400, 3,
          '2026-11-21T12:00:00Z', '2026-11-21T12:00:00Z', 'started', 'job-1');
INSERT INTO vendor_credentials (system, name, sealed, key_id, fingerprint, set_by, set_at)
  VALUES ('datto', 'secret_key', 'c2VhbGVk', '0011223344556677', '89abcdef', 'ada', '2026-11-21T12:00:00Z');
