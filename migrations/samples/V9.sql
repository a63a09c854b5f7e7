INSERT INTO tickets (id, external_source, external_id, company_id, department_id, ticket_number, subject, status, status_id, priority, priority_id,
  ticket_type, requester_id, requester_name, responder_id, group_id, vendor_created_at, last_updated_at, minutes_spent, time_known,
  created_at, updated_at, subject_folded, requester_folded, search_text)
VALUES (901, 'freshservice', 6, 1, 21000100001, '6', 'Cannot print', 'open', 2, 'low', 1, 'Incident', 21000062811, 'Ava Patel', 21000062900,
  21000061289, '2026-01-01T08:00:00Z', '2026-01-02T08:00:00Z', 45, TRUE, '2026-01-02T09:00:00Z', '2026-01-02T09:00:00Z', 'cannot print',
  'ava patel', '6 cannot print ava patel');
INSERT INTO ticket_texts (ticket_id, description, description_text) VALUES (901, '<div>The printer is out.</div>', 'The printer is out.');
INSERT INTO ticket_conversations (id, ticket_id, source, external_id, body_text, body_html, private, incoming, user_id, from_email, to_emails, created_at)
VALUES (901, 901, 'vendor', 21000700001, 'Done.', '<div>Done.</div>', FALSE, FALSE, 21000062900, 'help@msp.example', '["ava@acme.example"]', '2026-01-02T08:00:00Z');
INSERT INTO ticket_time_entries (id, ticket_id, external_id, agent_id, minutes, billable, running) VALUES (901, 901, 21000800001, 21000062900, 45, TRUE, FALSE);
INSERT INTO ticket_statuses (external_source, code, label, learned_at) VALUES ('freshservice', 8, 'Scheduled', '2026-01-02T09:00:00Z');
INSERT INTO webhook_seen (digest, seen_at) VALUES ('0000', '2026-01-02T09:00:00Z');
INSERT INTO change_requests (id, external_source, external_id, company_id, subject, status, status_id, vendor_updated_at, created_at, updated_at, subject_folded, search_text)
VALUES (901, 'freshservice', 3, 1, 'New firewall', 'open', 1, '2026-01-02T08:00:00Z', '2026-01-02T09:00:00Z', '2026-01-02T09:00:00Z', 'new firewall', '3 new firewall');
