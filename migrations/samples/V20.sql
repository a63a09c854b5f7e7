INSERT INTO contacts (id, name, email, protection, created_at, updated_at, name_folded, email_folded, search_text)
VALUES (1020, 'Noa Berg', 'noa@ward.example', 1, '2026-11-28T02:00:00Z', '2026-11-28T02:00:00Z', 'noa berg', 'noa@ward.example', ' noa berg noa@ward.example ');
INSERT INTO tickets (id, external_source, external_id, ticket_number, status, requester_email, requester_key, last_updated_at, minutes_spent, time_known,
  created_at, updated_at, subject_folded, requester_folded, search_text)
VALUES (1020, 'freshservice', 1020, '1020', 'open', 'Noa@ward.example', 'noa@ward.example', '2026-11-28T02:00:00Z', 0, TRUE,
  '2026-11-28T02:00:00Z', '2026-11-28T02:00:00Z', '', 'noa@ward.example', '1020 noa@ward.example');
