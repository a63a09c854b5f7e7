INSERT INTO sync_jobs (id, script, provider, sync_type, status, started_at, completed_at, output, success, started_by, host, pid, pid_started, heartbeat_at)
VALUES ('3e6f1c0a-7c1d-4f6e-9a7e-2f3b8d1c5a90', 'freshservice', 'freshservice', 'base', 'completed', '2026-11-20T02:00:00Z', '2026-11-20T02:01:10Z',
        '2 changes', TRUE, 'scheduler', 'host', 4711, '12345', '2026-11-20T02:01:05Z');
INSERT INTO sync_leases (name, job_id, fence, expires_at) VALUES ('freshservice', '', 7, '2026-11-20T02:01:10Z');
INSERT INTO sync_runs (id, source, job_id, dry_run, status, started_at, finished_at, summary)
VALUES (901, 'freshservice', '3e6f1c0a-7c1d-4f6e-9a7e-2f3b8d1c5a90', FALSE, 'done', '2026-11-20T02:00:00Z', '2026-11-20T02:01:10Z', '{}');
INSERT INTO sync_pages (run_id, list, page, fetched_at, body) VALUES (901, 'departments', 1, '2026-11-20T02:00:01Z', '[{"id": 21000100007}]');
INSERT INTO sync_plans (id, run_id, source, status, created_at, summary) VALUES (901, 901, 'freshservice', 'applied', '2026-11-20T02:00:40Z', '{}');
INSERT INTO sync_plan_items (plan_id, entity, action, state, entity_id, rev, external_id, label, reason, fields, moves)
VALUES (901, 'company', 'update', 'applied', 1, 1, '21000100007', 'Harbor Dental', 'linked to 21000100007',
        '[{"field": "name", "from": "Harbour Dental", "to": "Harbor Dental"}]', '{}');
INSERT INTO psa_agents (id, external_source, external_id, first_name, last_name, email, job_title, active, department_ids, group_ids, created_at, updated_at)
VALUES (901, 'freshservice', '9007199254740993', 'Ava', NULL, 'ava@msp.example.com', 'Engineer', TRUE, NULL, '["21000061289"]',
        '2026-11-20T02:00:41Z', '2026-11-20T02:00:41Z');
