INSERT INTO attachments (id, entity, entity_id, company_id, name, media_type, bytes, sha256, author, created_at, updated_at)
VALUES (36, 'company', 1, 1, 'contract.pdf', 'application/pdf', 1234, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'ada', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z');
