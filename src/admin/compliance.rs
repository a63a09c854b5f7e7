//! `/admin/compliance`: the policy of who may see what of protected people, as one table.

use askama::Template;
use axum::{extract::State, response::Response};

use crate::{
    agents::PageContext,
    auth::Admin,
    compliance::{Clearance, Level, POLICY, Treatment},
    error::Result,
    ui::{Crumb, Page, Section, Value, filters},
    web::Web,
};

#[derive(Template)]
#[template(path = "admin/compliance.html")]
struct CompliancePage {
    page: Page,
    crumbs: Vec<Crumb>,
    callers: [Clearance; 4],
    levels: Vec<Shown>,
    cleared: String,
}

/// The policy at one level.
struct Shown {
    name: &'static str,
    lines: Vec<(&'static str, Vec<Value>)>,
}

/// `GET /admin/compliance`
pub async fn show(_: Admin, context: PageContext, State(web): State<Web>) -> Result<Response> {
    let page = context.titled(Section::Admin, "Compliance");
    let at = |level: Level| POLICY.iter().map(move |line| (line.field.tells(), line.at(level).map(word).into())).collect();
    let levels = vec![Shown { name: "HIPAA", lines: at(Level::Hipaa) }, Shown { name: "CJIS", lines: at(Level::Cjis) }];
    context.show(&CompliancePage {
        crumbs: vec![Crumb { href: page.url("/admin/"), text: "Sync".to_owned() }],
        callers: Clearance::ALL,
        levels,
        cleared: web.config.compliance.cleared_services.join(", "),
        page,
    })
}

fn word(treatment: Treatment) -> Value {
    match treatment {
        Treatment::Show => Value::badge("success", "Shown"),
        Treatment::Mask => Value::badge("warning", "Masked"),
        Treatment::Withhold => Value::badge("danger", "Withheld"),
    }
}
