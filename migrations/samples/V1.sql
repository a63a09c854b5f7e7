INSERT INTO companies (id, account_number, name, created_at, updated_at, name_folded, search_text)
VALUES (1, '204729', 'Acme Dental', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'acme dental', 'acme dental 204729');
INSERT INTO contacts (id, name, email, created_at, updated_at, name_folded, email_folded, search_text)
VALUES (1, 'Ava Patel', 'ava@acme.example', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'ava patel', 'ava@acme.example', 'ava patel ava@acme.example');
INSERT INTO contact_companies (contact_id, company_id, role, is_primary) VALUES (1, 1, 'billing', TRUE);
INSERT INTO locations (company_id, name, created_at, updated_at) VALUES (1, 'Main office', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z');
INSERT INTO feature_overrides (company_id, feature_key, value) VALUES (1, 'soc', 'Included');
INSERT INTO assets (id, hostname, company_id, created_at, updated_at, hostname_folded, search_text)
VALUES (1, 'LT-A00001', 1, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'lt-a00001', 'lt-a00001');
INSERT INTO asset_observations (asset_id, online, observed_at) VALUES (1, TRUE, '2026-01-01T00:00:00Z');
INSERT INTO asset_contacts (asset_id, contact_id) VALUES (1, 1);
INSERT INTO links (entity, entity_id, system, external_id, linked_at) VALUES ('company', 1, 'freshservice', '21000100001', '2026-01-01T00:00:00Z');
INSERT INTO pins (entity, entity_id, field, pinned_by, pinned_at) VALUES ('company', 1, 'plan', 'ada', '2026-01-01T00:00:00Z');
INSERT INTO changes (seq, at, actor_kind, actor, entity, entity_id, action, fields)
VALUES (1, '2026-01-01T00:00:00Z', 'user', 'ada', 'company', 1, 'create', '{"name":[null,"Acme Dental"]}');
UPDATE head SET version = 1;
INSERT INTO versions (entity, version, observed) VALUES ('company', 3, 0), ('asset', 2, 1);
