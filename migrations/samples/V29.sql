INSERT INTO sessions (jti, user_id, service, kind, created_at, expires_at, revoked_at, address, user_agent)
VALUES ('session-30', 1001, NULL, 'browser', '2026-11-28T08:00:00Z', '2026-11-28T20:00:00Z', NULL, '203.0.113.7', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0');
INSERT INTO password_links (token_hash, user_id, expires_at) VALUES ('link-30', 1002, '2026-12-05T08:00:00Z');
INSERT INTO second_factors (user_id, secret, last_step, created_at, confirmed_at) VALUES (1001, 'c2VhbGVk', 58000000, '2026-11-28T08:00:00Z', '2026-11-28T08:01:00Z');
INSERT INTO recovery_codes (user_id, digest, used_at) VALUES (1001, 'code-30', NULL), (1001, 'code-31', '2026-11-28T09:00:00Z');
INSERT INTO sign_in_challenges (token_hash, user_id, expires_at) VALUES ('challenge-30', 1001, '2026-11-28T08:05:00Z');
UPDATE agents SET first_name = 'Ada', last_name = 'Byron', last_synced_at = '2026-11-28T08:00:00Z' WHERE username = 'Ada';
