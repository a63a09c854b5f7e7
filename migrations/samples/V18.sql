INSERT INTO assets (id, hostname, company_id, created_at, updated_at, hostname_folded, search_text, private_text)
SELECT 1018, 'LT-A00018', min(id), '2026-11-21T02:00:00Z', '2026-11-21T02:00:00Z', 'lt-a00018', ' lt-a00018 ', ' 10.0.1.18 ' FROM companies;
UPDATE assets SET private_text = ' 10.0.1.15 acme\ada ' WHERE id = (SELECT min(id) FROM assets);
