UPDATE agents SET told_at = 1796000000 WHERE username = 'Ada';
UPDATE sessions SET last_used_at = '2026-11-28T09:00:00Z', method = 'sso' WHERE jti = 'session-30';
INSERT INTO user_identities (issuer, subject, user_id, created_at, last_used_at)
VALUES ('https://login.example.com/realms/msp', 'f3b1c0de', 1001, '2026-11-28T08:00:00Z', '2026-11-28T09:00:00Z');
INSERT INTO sign_in_requests (state_hash, browser_hash, nonce, code_verifier, redirect_uri, next, expires_at)
VALUES ('state-33', 'browser-33', 'nonce-33', 'verifier-33', 'https://codex.example.com/login/sso/callback', '/', '2026-11-28T09:10:00Z');
