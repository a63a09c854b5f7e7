INSERT INTO ticket_listings (name, watermark, full_at, query) VALUES ('tickets', '2026-01-02T08:00:00Z', '2026-01-02T09:00:00Z', 'workspaces include order');
INSERT INTO ticket_listings (name, watermark, listing, began_at, full_list, cursor_at, max_seen, opened_at)
VALUES ('changes', NULL, 7, '2000-01-01T00:00:00Z', TRUE, '2025-06-01T00:00:00Z', '2025-06-02T00:00:00Z', '2026-01-02T09:00:00Z');
INSERT INTO ticket_sightings (ticket_id, listing, seen_at) VALUES (901, 7, '2026-01-02T09:00:00Z');
INSERT INTO ticket_details (ticket_id, rank, version, has_stats, tries, problem) VALUES (901, 0, '2026-01-02T08:00:00Z', TRUE, 1, 'no answer in time');
