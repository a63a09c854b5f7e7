INSERT INTO batches (id, kind, entity, at, actor_kind, actor, undone_at, undone_by)
VALUES (34, 'update', 'contact', '2026-11-29T08:00:00Z', 'user', 'alice', NULL, NULL),
       (35, 'merge', 'contact', '2026-11-29T09:00:00Z', 'user', 'alice', '2026-11-29T10:00:00Z', 'alice');
INSERT INTO merges (entity, loser_id, winner_id, batch_id, moved) VALUES ('contact', 900034, 900035, 35, '{"alerts":[1]}');
UPDATE links SET is_merged = TRUE WHERE external_id = '34';
