-- Secrets as this version keeps them: sealed with a key that this database does not hold.
INSERT INTO assets (id, hostname, company_id, bitlocker_key, windows_key, created_at, updated_at, hostname_folded, search_text)
SELECT 1014, 'LT-A00014', min(id), 'sealed:00112233aabbccdd:c2FtcGxlIG9mIHNlYWxlZCB0ZXh0LCBub3Qgb3BlbmVkIGFueXdoZXJl', NULL,
       '2026-11-21T02:00:00Z', '2026-11-21T02:00:00Z', 'lt-a00014', 'lt-a00014' FROM companies;
