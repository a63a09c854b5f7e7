INSERT INTO companies (id, account_number, name, created_at, updated_at, name_folded, search_text)
VALUES (1019, '1019', 'Acme Dental', '2026-11-28T02:00:00Z', '2026-11-28T02:00:00Z', 'acme dental', ' acme dental 1019 ');
