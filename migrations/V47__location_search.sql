-- What a location is found by; filled by the program, which makes all keys anew after this step.
ALTER TABLE locations ADD COLUMN search_text TEXT COLLATE C_ NOT NULL DEFAULT '';
CREATE VIRTUAL TABLE locations_fts USING fts5(search_text, content='', contentless_delete=1, tokenize='trigram case_sensitive 1'); -- only: sqlite
CREATE INDEX locations_search ON locations USING gin (search_text gin_trgm_ops); -- only: postgres
