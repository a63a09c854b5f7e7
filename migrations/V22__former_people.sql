-- What protected people were called before, and under which addresses they wrote: rows that still say so are protected as they are.
CREATE TABLE former_people (
  contact_id BIGINT NOT NULL REFERENCES contacts (id),
  name TEXT,
  email_folded TEXT
);
CREATE INDEX former_people_contact ON former_people (contact_id);
CREATE INDEX former_people_name ON former_people (name);
CREATE INDEX former_people_email ON former_people (email_folded);
DROP VIEW protected_people;
CREATE VIEW protected_people AS SELECT id, name, email_folded, protection AS level FROM contacts WHERE protection > 0
UNION ALL SELECT contact.id, former.name, former.email_folded, contact.protection
FROM former_people former JOIN contacts contact ON contact.id = former.contact_id WHERE contact.protection > 0;
