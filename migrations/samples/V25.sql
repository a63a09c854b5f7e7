INSERT INTO notes (id, entity, entity_id, company_id, body, pinned, author, created_at, updated_at, search_text)
VALUES (25, 'contact', 1, 1, 'Prefers to be **called**.', TRUE, 'ada', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'prefers to be **called**. ada ');
