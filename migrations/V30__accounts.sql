-- Where each session was opened: the address, and what the browser said of itself.
ALTER TABLE sessions ADD COLUMN address TEXT;
ALTER TABLE sessions ADD COLUMN user_agent TEXT;

-- One-time links with which somebody sets their password; only a digest is kept.
CREATE TABLE password_links (
  token_hash TEXT COLLATE C_ PRIMARY KEY,
  user_id BIGINT NOT NULL REFERENCES users (id),
  expires_at TEXT COLLATE C_ NOT NULL
);
CREATE INDEX password_links_user ON password_links (user_id);
