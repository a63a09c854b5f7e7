-- Rows that tell of a protected person are protected as that person is, whoever reads them and whosever rows they are:
-- people are found among all by their id, by the address under which a ticket came, by a name that was copied, and by what they use.
CREATE VIEW protected_people AS SELECT id, name, email_folded, protection AS level FROM contacts WHERE protection > 0;
CREATE INDEX contacts_protected_name ON contacts (name) WHERE protection > 0;
CREATE VIEW protected_users AS SELECT assigned.asset_id, contact.protection AS level
FROM asset_contacts assigned JOIN contacts contact ON contact.id = assigned.contact_id WHERE contact.protection > 0;
-- The requester's address as a contact's is kept (email_folded); made anew by the program where lower() is not enough.
ALTER TABLE tickets ADD COLUMN requester_key TEXT COLLATE C_;
UPDATE tickets SET requester_key = lower(trim(requester_email)) WHERE requester_email IS NOT NULL AND trim(requester_email) <> '';
