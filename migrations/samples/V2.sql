INSERT INTO users (id, subject, username, username_folded, email, email_folded, name, role, company_id, enabled, created_at, updated_at)
VALUES (1001, '5c1b6f0e-0000-4000-8000-000000000001', 'Ada', 'ada', 'Ada@example.com', 'ada@example.com', 'Ada Byron', 'admin', NULL, TRUE, '2026-11-01T08:00:00Z', '2026-11-01T08:00:00Z'),
       (1002, '5c1b6f0e-0000-4000-8000-000000000002', 'carl', 'carl', 'carl@client.example', 'carl@client.example', '', 'client', 1, FALSE, '2026-11-02T08:00:00Z', '2026-11-02T08:00:00Z');
INSERT INTO passwords (user_id, hash) VALUES (1001, '$argon2id$v=19$m=19456,t=2,p=1$c2FtcGxlc2FsdA$c2FtcGxl');
INSERT INTO sessions (jti, user_id, service, kind, created_at, expires_at, revoked_at)
VALUES ('session-1', 1001, NULL, 'browser', '2026-11-01T08:00:00Z', '2026-11-01T20:00:00Z', '2026-11-01T09:00:00Z'),
       ('session-2', NULL, 'ledger', 'service', '2026-11-01T08:00:00Z', '2026-11-01T08:05:00Z', NULL);
INSERT INTO signing_keys (kid, holder, modulus, exponent, created_at) VALUES ('key-1', 'host:/srv/codex', 'AQAB', 'AQAB', '2026-11-01T08:00:00Z');
INSERT INTO service_clients (name, secret_hash, created_at) VALUES ('ledger', 'hash', '2026-11-01T08:00:00Z');
INSERT INTO first_run_links (token_hash, expires_at, used_at) VALUES ('hash', '2026-11-01T08:15:00Z', '2026-11-01T08:01:00Z');
INSERT INTO sign_in_attempts (subject, failures, last_at, blocked_until) VALUES ('account:ada', 2, '2026-11-01T08:00:00Z', '2026-11-01T08:00:00Z');
INSERT INTO agents (keycloak_id, username, email, email_folded, name, permission_level, created_at, updated_at)
VALUES ('5c1b6f0e-0000-4000-8000-000000000001', 'Ada', 'Ada@example.com', 'ada@example.com', 'Ada Byron', 'admin', '2026-11-01T08:00:00Z', '2026-11-01T08:00:00Z');
