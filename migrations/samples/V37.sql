INSERT INTO forgotten_people (digest, contact_id, created_at) VALUES ('3b0c44298fc1c149', 1, '2026-01-01T00:00:00Z');
