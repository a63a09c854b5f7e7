-- When a device was bought.
ALTER TABLE assets ADD COLUMN purchase_date TEXT;
