INSERT INTO search_pending (found_in, id) SELECT 'companies', min(id) FROM companies;
