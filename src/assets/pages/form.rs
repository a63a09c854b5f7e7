//! Adding and editing an asset.

use axum::response::Response;
use serde_json::{Map, Value as Json};

use super::LIST;
use crate::{
    agents::PageContext,
    assets::{Asset, AssetDetail, AssetView, AssetViewContext, Assets, pages_store as store, store as assets},
    companies::{pages_store, store as companies},
    compliance::RedactionPolicy,
    db::Conn,
    error::{Error, Result},
    resource::{
        bulk_page::Many,
        form_page::{FormPage, Part, Typed, protected_as, section},
        forms::Form,
    },
    ui::{Choice, Field, Records, link_to},
    web::{Query, Web},
};

/// What an asset's form is made of.
pub struct Ground {
    view: Option<AssetView>,
    companies: Vec<Choice>,
}

impl Many for Assets {
    const LIST: Records = LIST;
    const WORDS: (&'static str, &'static str) = ("asset", "assets");

    fn beside(c: &mut Conn, ids: &[i64], policy: &RedactionPolicy, typed: &Typed) -> Result<Vec<Field>> {
        let mut choices = vec![Choice::new("", "Leave as it is"), Choice::new(NOBODY, "Nobody")];
        let company = store::only_company(c, ids)?;
        if company.is_some() {
            choices.extend(pages_store::contact_choices(c, company, policy)?);
        }
        let field = Field::select(ASSIGNED, "Assigned to", typed.text(ASSIGNED), choices);
        let hint = if company.is_some() {
            "Replaces who is assigned now."
        } else {
            "Choose assets of one company to assign them to a contact."
        };
        Ok(vec![field.hint(hint)])
    }

    fn sent(mut fields: Map<String, Json>) -> Map<String, Json> {
        if let Some(contact) = fields.remove(ASSIGNED) {
            let wanted = if contact == NOBODY { Vec::new() } else { vec![contact] };
            fields.insert("contact_ids".to_owned(), wanted.into());
        }
        fields
    }
}

/// Who uses several assets, in their form, and that nobody does.
const ASSIGNED: &str = "assigned_to";
const NOBODY: &str = "nobody";

impl Form for Assets {
    type Ground = Ground;
    const DOUBLES: (&'static str, &'static str) = ("This company has an asset with this hostname already", "hostname");

    fn ground(c: &mut Conn, id: Option<i64>, _: &Typed, view: &AssetViewContext) -> Result<Ground> {
        let view = id.map(|id| assets::get_view(c, id)).transpose()?.map(|asset| asset.redact(view));
        Ok(Ground { view, companies: pages_store::company_choices(c)? })
    }

    fn begin(query: &Query) -> Typed {
        let mut typed = Typed::default();
        typed.set("company_account_number", query.get("company").unwrap_or_default());
        typed.set("type", "workstation");
        typed.set("status", "active");
        typed
    }

    fn stands(ground: &Ground) -> Result<Typed> {
        ground.view.as_ref().map_or_else(|| Ok(Typed::default()), Typed::of)
    }

    fn form(context: &PageContext, ground: &Ground, typed: &Typed) -> FormPage {
        let mut sections = parts(typed, ground.companies.clone());
        let asset = ground.view.as_ref().map(|AssetView { row, .. }| {
            sections.first_mut().into_iter().for_each(|first| first.fields.push(protected_as(typed)));
            link_to(context.page.url(&Self::page(&row.id)), row.hostname.clone())
        });
        FormPage::of(context, &LIST, asset, typed, sections)
    }

    fn page(key: &i64) -> String {
        format!("/assets/{key}")
    }

    fn title(shown: &AssetDetail) -> String {
        shown.asset.row.hostname.clone()
    }

    fn mark(shown: &AssetDetail) -> Option<String> {
        shown.asset.row.serial_number.clone()
    }

    async fn not_retired(_: &Web, context: &PageContext, key: i64, error: Error) -> Result<Response> {
        context.go_sorry(&Self::page(&key), &format!("{error}. Release what it holds first."))
    }

    fn doubles(c: &mut Conn, typed: &Typed, _: &AssetViewContext) -> Result<Vec<(String, String)>> {
        let Some(company) = companies::find_id(c, &typed.text("company_account_number"))? else { return Ok(Vec::new()) };
        let named = store::assets_named(c, &typed.text("hostname"), company)?;
        Ok(named.into_iter().map(|(id, name)| (Self::page(&id), name)).collect())
    }
}

fn parts(typed: &Typed, companies: Vec<Choice>) -> Vec<Part> {
    let company = Field::select("company_account_number", "Company", typed.text("company_account_number"), companies).required();
    vec![section::<Asset>(typed, "Device", vec![("company_id", company)]), section::<Asset>(typed, "Links", Vec::new())]
}
