INSERT INTO backups (id, folder, file, made_at, made_by, state, checked_at, bytes, sha256, encrypted, schema_version, row_count, attachments)
VALUES (38, '/var/lib/codex/backups', 'codex-20260101T013000Z.tar.zst', '2026-01-01T01:30:00Z', 'scheduler', 'restorable', '2026-01-01T01:30:02Z', 123456, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', FALSE, 38, 1234, 1);
