INSERT INTO rmm_sites (id, uid, name, company_id, basis, account_number, first_seen_at)
VALUES (901, '1b644b0e-8ce6-4354-aef8-a470a7f2c778', 'Harbor Dental - Main Office', 1, 'number', '204729', '2026-11-20T03:00:00Z');
INSERT INTO rmm_sites (id, uid, name, basis, first_seen_at)
VALUES (902, '5d0f7a52-5f5c-4a3b-9d1e-0a2b7c3d4e5f', 'Unknown place', 'none', '2026-11-20T03:00:00Z');
INSERT INTO review_items (id, system, kind, external_id, label, reason, candidates, state, created_at, updated_at)
VALUES (901, 'datto', 'site', '5d0f7a52-5f5c-4a3b-9d1e-0a2b7c3d4e5f', 'Unknown place', 'the site has no account number', '[]', 'open',
        '2026-11-20T03:00:10Z', '2026-11-20T03:00:10Z');
INSERT INTO asset_sources (asset_id, system, place, told, told_at)
SELECT min(id), 'datto', '1b644b0e-8ce6-4354-aef8-a470a7f2c778', '{"hostname": "LT-A00001"}', '2026-11-20T03:00:20Z' FROM assets;
