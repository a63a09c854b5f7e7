INSERT INTO licenses (id, company_id, product, vendor, seats, price, term, starts_on, expires_on, auto_renews, license_key, created_at, updated_at, search_text)
VALUES (31, 1, 'Office Suite', 'Contoso', 25, 30000, '1-Year', '2026-01-01', '2026-12-31', TRUE, NULL, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'office suite contoso ');
INSERT INTO license_seats (id, company_id, license_id, contact_id, asset_id, created_at, updated_at, search_text)
VALUES (31, 1, 31, 1, NULL, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '');
