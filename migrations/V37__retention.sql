-- How far back history goes where old changes are removed: everything numbered above kept_after is there, and so is
-- everything from the moment kept_since on. Nothing was removed as long as that is NULL.
ALTER TABLE head ADD COLUMN kept_after BIGINT NOT NULL DEFAULT 0;
ALTER TABLE head ADD COLUMN kept_since TEXT COLLATE C_;
-- By what vendors' records of forgotten people are known again: keyed digests of their addresses, never the addresses.
CREATE TABLE forgotten_people (
  digest TEXT COLLATE C_ PRIMARY KEY,
  contact_id BIGINT NOT NULL REFERENCES contacts (id),
  created_at TEXT NOT NULL
);
CREATE INDEX forgotten_people_contact ON forgotten_people (contact_id);
-- Which session at the provider of single sign-on a session belongs to, so that the provider can end it.
ALTER TABLE sessions ADD COLUMN provider_session TEXT COLLATE C_;
