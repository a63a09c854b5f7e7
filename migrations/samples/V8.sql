UPDATE companies SET life_quiet_days = 7, life_stale_days = 21, life_archived_days = 60 WHERE id = 1;
INSERT INTO asset_audits (asset_id, source, external_id, device_class, asked_for, asked_at, outcome, collected_at, fetched_at, cpu, cpu_cores, ram_bytes,
  disk_bytes, disk_free_bytes, bios_version, bios_date, details)
VALUES (1, 'datto', '1b644b0e-8ce6-4354-aef8-a470a7f2c778', 'device', '2026-11-20T12:00:00Z', '2026-11-20T13:00:00Z', 'read', '2026-11-20T12:00:00Z',
        '2026-11-20T13:00:00Z', 'Intel(R) Core(TM) i7-1365U', 10, 17179869184, 512110190592, 128027547648, '1.24.1', '2026-03-01',
        '{"baseBoard": {"manufacturer": "Dell Inc.", "product": "0X1Y2Z"}}');
INSERT INTO asset_software (asset_id, name, version, name_folded) VALUES (1, 'Mozilla Firefox', '145.0', 'mozilla firefox');
INSERT INTO asset_nics (asset_id, place, name, mac_address, ipv4, ipv6, kind)
VALUES (1, 0, 'Intel(R) Wi-Fi 6E AX211', '3C:58:C2:00:11:22', '10.0.0.5', NULL, 'Wireless');
INSERT INTO asset_disks (asset_id, place, name, description, size_bytes, free_bytes, counts)
VALUES (1, 0, 'C:', 'Local Fixed Disk', 512110190592, 128027547648, TRUE);
INSERT INTO alerts (source, alert_uid, asset_id, company_id, device_uid, device_name, site_uid, site_name, priority, severity, kind, message, raised_at,
  resolved, monitor, context, first_seen_at, updated_at, message_folded, search_text)
VALUES ('datto', '5f0c5c64-6d32-4a3a-a8f1-6a1d3b9f2c10', 1, 1, '1b644b0e-8ce6-4354-aef8-a470a7f2c778', 'LT-A00001', 'c3a5', 'Acme Dental', 'High', 1,
        'perf_disk_usage_ctx', 'Disk C: has 9.5 GB free of 250 GB', '2026-11-20T11:00:00Z', FALSE, '{"sendsEmails": true}',
        '{"@class": "perf_disk_usage_ctx", "diskName": "C:"}', '2026-11-20T13:00:00Z', '2026-11-20T13:00:00Z',
        'disk c: has 9.5 gb free of 250 gb', 'disk c: has 9.5 gb free of 250 gb lt-a00001');
