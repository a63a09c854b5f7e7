-- As of when the level of an agent is known, in seconds since 1970: an older token does not change it.
ALTER TABLE agents ADD COLUMN told_at BIGINT;

-- When each session was last used, to the minute, and how it was opened ('sso' for single sign-on).
ALTER TABLE sessions ADD COLUMN last_used_at TEXT;
ALTER TABLE sessions ADD COLUMN method TEXT;

-- Who somebody is at the provider of single sign-on: its subject, never their address, which may change hands there.
CREATE TABLE user_identities (
  issuer TEXT COLLATE C_ NOT NULL,
  subject TEXT COLLATE C_ NOT NULL,
  user_id BIGINT NOT NULL REFERENCES users (id),
  created_at TEXT NOT NULL,
  last_used_at TEXT NOT NULL,
  PRIMARY KEY (issuer, subject),
  UNIQUE (issuer, user_id)
);
CREATE INDEX user_identities_user ON user_identities (user_id);

-- Sign-ins that are on their way over the provider. Of the state and of what binds it to a browser only digests are kept.
CREATE TABLE sign_in_requests (
  state_hash TEXT COLLATE C_ PRIMARY KEY,
  browser_hash TEXT NOT NULL,
  nonce TEXT NOT NULL,
  code_verifier TEXT NOT NULL,
  redirect_uri TEXT NOT NULL,
  next TEXT NOT NULL,
  expires_at TEXT COLLATE C_ NOT NULL
);
CREATE INDEX sign_in_requests_expires ON sign_in_requests (expires_at);
