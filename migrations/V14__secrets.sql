-- The secrets among what an RMM tells of a device have columns of their own, sealed with a key that is not
-- in the database. What earlier versions stored in plain text is sealed by the program right after this step
-- (sync/assets/sealing.rs), since the key is not here. Staged pages are read anew.
ALTER TABLE assets ADD COLUMN bitlocker_key TEXT;
ALTER TABLE assets ADD COLUMN windows_key TEXT;
DELETE FROM sync_pages WHERE list = 'assets' OR run_id IN (SELECT id FROM sync_runs WHERE source = 'datto');
