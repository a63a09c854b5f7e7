-- How often an API key has asked since when, as each process has counted it: all of them together keep its limit.
CREATE TABLE api_key_requests (
  key_id BIGINT NOT NULL,
  process TEXT COLLATE C_ NOT NULL,
  since TEXT COLLATE C_ NOT NULL,
  requests BIGINT NOT NULL,
  PRIMARY KEY (key_id, process)
);
CREATE INDEX api_key_requests_since ON api_key_requests (since);
