INSERT INTO settings (name, value) VALUES ('demo', '2026-11-21T12:00:00Z');
