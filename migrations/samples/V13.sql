INSERT INTO job_log (job_id, n, at, level, message) VALUES ('11111111-1111-4111-8111-111111111111', 1, '2026-11-21T02:00:00Z', 'info', 'reading departments');
