INSERT INTO api_key_requests (key_id, process, since, requests) VALUES (41, 'b1946ac9', '2026-01-01T00:00:00Z', 7);
