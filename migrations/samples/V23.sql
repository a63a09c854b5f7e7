INSERT INTO assets (id, hostname, purchase_date, created_at, updated_at, hostname_folded, search_text)
VALUES (23, 'LT-BOUGHT', '2025-11-30', '2025-11-30T00:00:00Z', '2025-11-30T00:00:00Z', 'lt-bought', 'lt-bought');
