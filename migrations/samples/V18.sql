UPDATE assets SET private_text = ' 10.0.1.15 acme\ada ' WHERE id = (SELECT min(id) FROM assets);
