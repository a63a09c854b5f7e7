INSERT INTO api_keys (id, subject, name, name_folded, beginning, digest, writes, types, company_ids, created_at, expires_at, last_used_at, revoked_at)
VALUES (29, '5c1b6f0e-0000-4000-8000-000000000001', 'Nightly report', 'nightly report', 'codex_Ab3d', 'digest-29', FALSE, '["asset"]', '[1]', '2026-11-28T08:00:00Z', '2027-02-26T08:00:00Z', NULL, NULL),
       (30, '5c1b6f0e-0000-4000-8000-000000000001', 'Nightly report', 'nightly report', 'codex_Zz9x', 'digest-30', TRUE, NULL, NULL, '2026-11-20T08:00:00Z', '2027-02-18T08:00:00Z', '2026-11-21T08:00:00Z', '2026-11-22T08:00:00Z');
UPDATE agents SET enabled = FALSE WHERE keycloak_id = '5c1b6f0e-0000-4000-8000-000000000001';
