use super::*;

fn both(sql: &str, scope: &Scope) -> (String, String) {
    let sqlite = rewrite(sql, Engine::Sqlite, scope).unwrap().into_owned();
    let postgres = rewrite(sql, Engine::Postgres, scope).unwrap().into_owned();
    (sqlite, postgres)
}

#[test]
fn placeholders_become_numbers_outside_quotes_only() {
    let (sqlite, postgres) = both("SELECT '?1 @assets' FROM companies WHERE id = ?1 AND name = ?12", &Scope::All);
    assert_eq!(sqlite, "SELECT '?1 @assets' FROM companies WHERE id = ?1 AND name = ?12");
    assert_eq!(postgres, "SELECT '?1 @assets' FROM companies WHERE id = $1 AND name = $12");
}

#[test]
fn tenant_tables_are_narrowed() {
    let scope = Scope::Companies(vec![3, 7].into());
    let (sqlite, _) = both("SELECT asset.id FROM @assets asset", &scope);
    assert_eq!(sqlite, "SELECT asset.id FROM (SELECT * FROM assets WHERE company_id IN (3,7)) asset");
    let nobody = Scope::Companies(vec![].into());
    let (sqlite, _) = both("SELECT 1 FROM @companies company", &nobody);
    assert_eq!(sqlite, "SELECT 1 FROM (SELECT * FROM companies WHERE id IN (NULL)) company");
    let (sqlite, _) = both("SELECT 1 FROM @companies company", &Scope::All);
    assert_eq!(sqlite, "SELECT 1 FROM companies company");
}

#[test]
fn an_unknown_tenant_table_does_not_run() {
    assert!(rewrite("SELECT 1 FROM @users", Engine::Sqlite, &Scope::All).is_err());
}

#[test]
fn id_lists_take_each_engines_form() {
    let (sqlite, postgres) = both("SELECT 1 WHERE id IN ids(?2) AND x = ?1", &Scope::All);
    assert_eq!(sqlite, "SELECT 1 WHERE id IN (SELECT value FROM json_each(?2)) AND x = ?1");
    assert_eq!(postgres, "SELECT 1 WHERE id = ANY(CAST($2 AS BIGINT[])) AND x = $1");
}
