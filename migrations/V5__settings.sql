-- Facts about the whole database that no row can hold.
CREATE TABLE settings (
  name TEXT COLLATE C_ PRIMARY KEY,
  value TEXT NOT NULL
);
