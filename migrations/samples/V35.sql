INSERT INTO custom_fields (id, entity, key, label, kind, choices, help, required, position, created_at, updated_at)
VALUES (35, 'company', 'door_code', 'Door code', 'text', NULL, 'Of the main entrance', FALSE, 1, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'),
       (36, 'company', 'seats', 'Seats', 'number', NULL, NULL, FALSE, 2, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z');
INSERT INTO custom_values (field_id, record_id, entity, value, folded, number)
VALUES (35, 1, 'company', '47-11', '47-11', NULL), (36, 1, 'company', '12', '12', 120000);
INSERT INTO tags (id, name, color, note, created_at, updated_at, name_folded)
VALUES (35, 'VIP', 'purple', NULL, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'vip');
INSERT INTO record_tags (entity, record_id, tag_id) VALUES ('company', 1, 35);
