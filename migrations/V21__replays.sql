-- What a kept answer shows of protected records, and how much was protected then: once more is, kept answers
-- no longer show records.
ALTER TABLE idempotency_keys ADD COLUMN protected_at BIGINT NOT NULL DEFAULT -1;
ALTER TABLE idempotency_keys ADD COLUMN shown TEXT NOT NULL DEFAULT '{}';
