INSERT INTO billing_plans (id, name, term, support_level, per_user_cents, features, created_at, updated_at, name_key, term_key, search_text)
VALUES (26, 'Gold', '1-Year', 'All Inclusive', 4500, '{"antivirus":"Defender"}', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'gold', '1-year', 'gold 1-year ');
INSERT INTO feature_categories (id, category, name, created_at, updated_at) VALUES (26, 'antivirus', 'Antivirus', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z');
INSERT INTO feature_options (id, category, name, created_at, updated_at, name_key, search_text)
VALUES (26, 'antivirus', 'Defender', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'defender', 'antivirus defender ');
