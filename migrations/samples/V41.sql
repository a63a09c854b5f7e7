INSERT INTO saved_views (id, owner, list, name, name_folded, query, shared, created_at, updated_at)
VALUES (42, 'somebody', 'assets', 'Offline servers', 'offline servers', 'type=server&online=false', TRUE, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z');
INSERT INTO default_views (owner, list, view_id) VALUES ('somebody', 'assets', 42);
