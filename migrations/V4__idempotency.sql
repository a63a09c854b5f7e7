-- What a write with an Idempotency-Key answered, so that the same request again does nothing again.
CREATE TABLE idempotency_keys (
  caller TEXT NOT NULL,
  key TEXT NOT NULL,
  request TEXT NOT NULL,
  status BIGINT NOT NULL,
  body TEXT NOT NULL,
  etag TEXT,
  location TEXT,
  created_at TEXT COLLATE C_ NOT NULL,
  PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);
