use super::*;

#[test]
fn markers_keep_the_lines_of_one_engine() {
    let text = "CREATE TABLE t ( -- a comment\n  id INTEGER, -- only: sqlite\n  id BIGINT, -- only: postgres\n\n  name TEXT COLLATE C_\n);";
    assert_eq!(resolve(text, Engine::Sqlite), "CREATE TABLE t (\n  id INTEGER,\n  name TEXT\n);\n");
    assert_eq!(resolve(text, Engine::Postgres), "CREATE TABLE t (\n  id BIGINT,\n  name TEXT COLLATE \"C\"\n);\n");
}

#[test]
fn comments_do_not_count() {
    assert_eq!(resolve("SELECT 1; -- why   \n-- a line\n", Engine::Sqlite), resolve("SELECT 1;\n", Engine::Sqlite));
}
