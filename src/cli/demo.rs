//! The demo data of `codex serve --demo`.

use super::{Failure, out};
use crate::{
    db::Db,
    demo::{self, Outcome},
};

/// Fills an empty database and says what came of it; another database is served as it is.
pub async fn fill(db: &Db) -> Result<(), Failure> {
    match demo::fill(db).await.map_err(Failure::opening)? {
        Outcome::Filled { companies, contacts, assets } => {
            out::note(format_args!("Demo data: {companies} companies, {contacts} contacts, {assets} assets, all made up."));
        }
        Outcome::There => out::note("The demo data is there from an earlier start."),
        Outcome::NotEmpty => {
            out::note(
                "warning: the database already holds data, so no demo data was added; choose another folder with --instance",
            );
        }
    }
    Ok(())
}
