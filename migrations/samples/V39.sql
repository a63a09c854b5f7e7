INSERT INTO contacts (id, name, email, created_at, updated_at, retired_at, name_folded, email_folded, search_text)
VALUES (1040, 'Ordered Long Ago', 'ordered@example.com', '2026-11-28T02:00:00Z', '2026-11-28T02:00:00Z', '2026-11-29T02:00:00Z',
  'ordered long ago', 'ordered@example.com', ' ordered long ago ordered@example.com ');
