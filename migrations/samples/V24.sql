INSERT INTO network_equipment (id, company_id, name, kind, model, ip_address, asset_id, created_at, updated_at, ip_key, search_text)
VALUES (24, 1, 'fw-1', 'firewall', 'FW 60', '10.20.0.1', 1, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '40a140001', 'fw-1 10.20.0.1 ');
INSERT INTO network_equipment (id, company_id, name, kind, uplink_id, created_at, updated_at, search_text)
VALUES (25, 1, 'sw-1', 'switch', 24, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'sw-1 ');
INSERT INTO network_interfaces (id, company_id, equipment_id, name, vlan, speed_mbps, created_at, updated_at, search_text)
VALUES (24, 1, 24, 'lan1', 20, 1000, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'lan1 ');
INSERT INTO network_connections (id, company_id, a_id, a_port, b_id, b_port, kind, speed_mbps, created_at, updated_at, search_text)
VALUES (24, 1, 24, 'lan1', 25, '48', 'copper', 1000, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'lan1 48 ');
INSERT INTO subnets (id, company_id, cidr, vlan, gateway, created_at, updated_at, first_key, last_key, search_text)
VALUES (24, 1, '10.20.0.0/24', 20, '10.20.0.1', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '40a140000', '40a1400ff', '10.20.0.0/24 ');
INSERT INTO vlans (id, company_id, number, name, created_at, updated_at, search_text)
VALUES (24, 1, 20, 'Office', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '20 office ');
