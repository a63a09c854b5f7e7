INSERT INTO billing_settings (id, company_id, count_contacts, created_at, updated_at) VALUES (27, 1, 'all', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z');
INSERT INTO billing_exclusions (id, company_id, entity, entity_id, reason, created_at, updated_at)
VALUES (27, 1, 'asset', 1, 'A loan', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z');
