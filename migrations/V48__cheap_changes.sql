-- Rows whose words SQLite's tables for searches do not know yet as they are now; the program puts them in when nobody writes.
-- PostgreSQL, which keeps its own indexes, has none.
CREATE TABLE search_pending (
  found_in TEXT COLLATE C_ NOT NULL,
  id BIGINT NOT NULL,
  PRIMARY KEY (found_in, id)
) WITHOUT ROWID; -- only: sqlite
); -- only: postgres
-- Whether whom a row was about is forgotten is asked before each of its changes.
CREATE INDEX changes_forgetting ON changes (entity, entity_id) WHERE action = 'forget';
