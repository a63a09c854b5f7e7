INSERT INTO outbox (id, system, operation, target, dedup, entity, entity_id, label, reason, wanted, expected, state, attempts, next_at, created_at, created_by)
VALUES (901, 'freshservice', 'department', '21000100007', 'freshservice department 21000100007 account_number', 'company', 1, 'Harbor Dental',
        'Freshservice has no account number for it', '{"account_number": "204729"}', '{"account_number": null}', 'pending', 0,
        '2026-11-20T02:01:00Z', '2026-11-20T02:01:00Z', 'command line');
INSERT INTO outbox (id, system, operation, target, dedup, entity, entity_id, label, reason, wanted, seen_before, state, attempts, next_at, created_at, created_by, sent_at)
VALUES (902, 'freshservice', 'department', '21000100007', 'freshservice department 21000100007 account_number', 'company', 1, 'Harbor Dental',
        'written by ada', '{"account_number": "204729"}', '{"account_number": null}', 'unknown', 1,
        '2026-11-20T02:01:00Z', '2026-11-20T02:01:00Z', 'ada', '2026-11-20T02:01:02Z');
INSERT INTO outbox (id, system, operation, target, dedup, label, reason, wanted, expected, found, state, attempts, next_at, error, created_at, created_by, settled_at, decided_by)
VALUES (903, 'datto', 'site_variable', '1b644b0e-8ce6-4354-aef8-a470a7f2c778', 'datto site_variable 1b644b0e-8ce6-4354-aef8-a470a7f2c778', 'Harbor Dental - Main',
        'the site has no account number', '{"value": "204729"}', '{"value": null}', '{"value": "204730"}', 'discarded', 0,
        '2026-11-20T02:01:00Z', 'the site says 204730', '2026-11-20T02:01:00Z', 'command line', '2026-11-20T03:01:00Z', 'ada');
