-- What an asset is found by by those who may see it: addresses and people. Apart from what everybody may
-- search in; both keys are filled by the program, which makes all keys anew after this step.
ALTER TABLE assets ADD COLUMN private_text TEXT COLLATE C_ NOT NULL DEFAULT '';
CREATE INDEX assets_private ON assets USING gin (private_text gin_trgm_ops); -- only: postgres
DROP TABLE assets_fts; -- only: sqlite
CREATE VIRTUAL TABLE assets_fts USING fts5(search_text, private_text, content='', contentless_delete=1, tokenize='trigram case_sensitive 1'); -- only: sqlite
