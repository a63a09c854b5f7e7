INSERT INTO idempotency_keys (caller, key, request, status, body, etag, location, created_at)
VALUES ('user:alice', '8c9e', '00ff', 201, '{"id":1}', '"1-1"', '/api/companies/100001', '2026-11-21T10:00:00Z');
