UPDATE companies SET custom_fields = '{"regions":["North","South"],"remote":true}' WHERE id = 1;
INSERT INTO ticket_losses (ticket_id, fields, noted_at) VALUES (901, '[{"field":"company_id","from":1,"to":null}]', '2026-11-21T02:00:00Z');
