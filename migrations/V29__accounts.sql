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

-- The second factor of those who have set one up. The secret is sealed with a key that is not in the database; of
-- recovery codes only digests are kept.
CREATE TABLE second_factors (
  user_id BIGINT PRIMARY KEY REFERENCES users (id),
  secret TEXT NOT NULL,
  last_step BIGINT NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL,
  confirmed_at TEXT
);
CREATE TABLE recovery_codes (
  user_id BIGINT NOT NULL REFERENCES users (id),
  digest TEXT COLLATE C_ NOT NULL,
  used_at TEXT,
  PRIMARY KEY (user_id, digest)
);

-- Sign-ins whose password was right and whose code is still to come.
CREATE TABLE sign_in_challenges (
  token_hash TEXT COLLATE C_ PRIMARY KEY,
  user_id BIGINT NOT NULL REFERENCES users (id),
  expires_at TEXT COLLATE C_ NOT NULL
);
CREATE INDEX sign_in_challenges_user ON sign_in_challenges (user_id);

-- What Keycloak says of agents, and when it last did.
ALTER TABLE agents ADD COLUMN first_name TEXT;
ALTER TABLE agents ADD COLUMN last_name TEXT;
ALTER TABLE agents ADD COLUMN last_synced_at TEXT;
