-- How far the listing of what changes at a vendor has come: what is proven, and what is under way.
CREATE TABLE ticket_listings (
  name TEXT PRIMARY KEY,
  watermark TEXT,
  full_at TEXT,
  query TEXT,
  listing BIGINT,
  began_at TEXT,
  full_list BOOLEAN NOT NULL DEFAULT FALSE,
  cursor_at TEXT,
  max_seen TEXT,
  opened_at TEXT
);
-- When a ticket was last met at the vendor, and what proves that it is there no more.
CREATE TABLE ticket_sightings (
  ticket_id BIGINT PRIMARY KEY REFERENCES tickets (id),
  listing BIGINT NOT NULL,
  seen_at TEXT NOT NULL,
  gone_because TEXT
);
CREATE INDEX ticket_sightings_seen ON ticket_sightings (seen_at);
CREATE INDEX ticket_sightings_gone ON ticket_sightings (ticket_id) WHERE gone_because IS NOT NULL;
-- Tickets whose conversations and time sheet have to be read again.
CREATE TABLE ticket_details (
  ticket_id BIGINT PRIMARY KEY REFERENCES tickets (id),
  rank BIGINT NOT NULL,
  version TEXT NOT NULL,
  has_stats BOOLEAN NOT NULL DEFAULT FALSE,
  tries BIGINT NOT NULL DEFAULT 0,
  tried_in BIGINT,
  problem TEXT
);
CREATE INDEX ticket_details_order ON ticket_details (tries, rank, version DESC);
