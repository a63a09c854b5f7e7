INSERT INTO locations (id, company_id, name, address, created_at, updated_at, search_text)
SELECT 47, MIN(id), 'Found office', '47 Search Street', '2026-12-02T00:00:00Z', '2026-12-02T00:00:00Z', ' found office 47 search street '
FROM companies;
