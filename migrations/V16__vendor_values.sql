-- The vendor's custom fields that have no column of their own: a JSON object with sorted keys.
ALTER TABLE companies ADD COLUMN custom_fields TEXT;
ALTER TABLE contacts ADD COLUMN custom_fields TEXT;
-- What the vendor's record of a ticket would take away: kept until the run knows for how many tickets it would.
CREATE TABLE ticket_losses (
  ticket_id BIGINT PRIMARY KEY REFERENCES tickets (id),
  fields TEXT NOT NULL,
  noted_at TEXT NOT NULL
);
