INSERT INTO vendor_budgets (account, bucket, total, remaining, seen_ms, paused_until_ms)
VALUES ('5f3a', 'tickets', 140, 12, 1795255200000, NULL), ('5f3a', '*', NULL, NULL, NULL, 1795255500000);
INSERT INTO vendor_calls (account, bucket, slot_ms, calls) VALUES ('77c0', 'read', 1795255200000, 13);
