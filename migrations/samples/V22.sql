INSERT INTO former_people (contact_id, name) SELECT min(id), 'Former Name' FROM contacts;
