//! The demo fills an empty database, once, and touches no other.

use super::*;
use crate::db::Target;

fn empty() -> (Db, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(Target::Sqlite(folder.path().join("codex.db")), 64).unwrap();
    (db, folder)
}

#[tokio::test]
async fn an_empty_database_becomes_a_provider() {
    let (db, _folder) = empty();
    let Outcome::Filled { companies, contacts, assets } = fill(&db).await.unwrap() else { panic!("not filled") };
    assert!(
        companies >= 12 && (200..=400).contains(&contacts) && (300..=600).contains(&assets),
        "{companies} {contacts} {assets}"
    );
    assert_eq!(fill(&db).await.unwrap(), Outcome::There);
}

#[tokio::test]
async fn other_data_is_left_alone() {
    let (db, _folder) = empty();
    let company = Company {
        account_number: "1".to_owned(),
        name: "Real".to_owned(),
        kind: "client".to_owned(),
        compliance_level: "standard".to_owned(),
        ..Company::default()
    };
    db.write(&Scope::All, &Actor::cli("test"), move |w| history::create(w, &company, None)).await.unwrap();
    assert_eq!(fill(&db).await.unwrap(), Outcome::NotEmpty);
}
