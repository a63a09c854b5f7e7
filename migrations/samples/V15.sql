INSERT INTO protections (entity, entity_id, company_id, level) VALUES ('contact', 1, 0, 1);
UPDATE contacts SET protection = 1 WHERE id = 1;
INSERT INTO disclosures (at, caller_kind, caller, method, route, entity, records, record_count, times)
VALUES ('2026-01-03T08:00:00Z', 'service', 'ledger', 'GET', '/api/contacts', 'contact', ',1,', 1, 1);
