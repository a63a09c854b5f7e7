INSERT INTO billing_snapshots (id, company_id, month, number, is_partial, frozen_at, frozen_by, total_cents, content, csv, sha256)
VALUES (30, 1, '2026-01', 1, FALSE, '2026-02-01T00:00:00Z', 'ada', 1000, '{}', 'record', '0');
