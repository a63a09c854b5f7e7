INSERT INTO idempotency_keys (caller, key, request, status, body, created_at, protected_at, shown)
VALUES ('service:ledger', 'k-21', 'hash', 200, '{"id":1}', '2026-11-29T02:00:00Z', 0, '{"contact":[1]}');
