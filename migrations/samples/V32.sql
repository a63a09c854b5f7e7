INSERT INTO webhook_endpoints (id, name, name_folded, url, secret, entities, actions, cleared, enabled, after, created_at, updated_at)
VALUES (3, 'Automation', 'automation', 'https://hooks.example.com/codex', 'sealed', '["company"]', NULL, FALSE, TRUE, 1, '2026-11-28T08:00:00Z', '2026-11-28T08:00:00Z');
INSERT INTO webhook_messages (id, endpoint_id, seq, entity, entity_id, action, state, due_at, created_at)
VALUES (4, 3, 1, 'company', 1, 'create', 'pending', '2026-11-28T08:00:00Z', '2026-11-28T08:00:00Z');
INSERT INTO notices (id, kind, thing, title, detail, path, opened_at)
VALUES (5, 'source', 'datto', 'Datto RMM sync failed', 'It broke off', '/admin/', '2026-11-28T08:00:00Z');
INSERT INTO notice_choices (subject, kind, how) VALUES ('5c1b6f0e-0000-4000-8000-000000000001', 'source', 'daily');
INSERT INTO notice_digests (subject, at, time_zone) VALUES ('5c1b6f0e-0000-4000-8000-000000000001', '07:30', 'Europe/Berlin');
INSERT INTO notice_channels (id, name, name_folded, format, url, kinds, created_at)
VALUES (6, 'Operations', 'operations', 'slack', 'sealed', NULL, '2026-11-28T08:00:00Z');
INSERT INTO notice_deliveries (id, notice_id, is_end, subject, channel_id, how, state, due_at, created_at)
VALUES (7, 5, FALSE, NULL, 6, 'now', 'pending', '2026-11-28T08:00:00Z', '2026-11-28T08:00:00Z');
