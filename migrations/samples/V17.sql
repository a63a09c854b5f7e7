INSERT INTO company_aliases (id, company_id, name, name_key, source, learnt_by, learnt_at)
VALUES (901, 1, 'Acme Dental - Main Office', 'acme dental main office', 'datto', 'ada', '2026-11-21T02:00:00Z');
