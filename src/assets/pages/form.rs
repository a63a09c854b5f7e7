//! Adding and editing an asset.

use axum::response::Response;

use crate::{
    agents::Frame,
    assets::{Asset, AssetDetail, AssetView, AssetViewContext, Assets, pages_store as store, store as assets},
    companies::{pages_store, store as companies},
    db::Conn,
    error::{Error, Result},
    resource::{
        form_page::{FormPage, Part, Typed, protected_as, section},
        forms::Form,
    },
    ui::{Choice, Field, Section, mention},
    web::{Query, Web},
};

/// What an asset's form is made of.
pub struct Ground {
    view: Option<AssetView>,
    companies: Vec<Choice>,
}

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

    fn form(frame: &Frame, ground: &Ground, typed: &Typed) -> FormPage {
        let list = mention(frame.page.url("/assets/"), "Assets");
        let mut sections = parts(typed, ground.companies.clone());
        let Some(AssetView { row, .. }) = &ground.view else {
            return FormPage::adding(frame.titled(Section::Assets, "New asset"), list, "Add asset", sections);
        };
        if let Some(first) = sections.first_mut() {
            first.fields.push(protected_as(typed));
        }
        let page = frame.titled(Section::Assets, format!("Edit {}", row.hostname));
        let asset = mention(frame.page.url(&Self::page(&row.id)), row.hostname.clone());
        FormPage::editing(page, list, asset, typed, sections)
    }

    fn page(key: &i64) -> String {
        format!("/assets/{key}")
    }

    fn title(shown: &AssetDetail) -> String {
        shown.asset.row.hostname.clone()
    }

    async fn not_retired(_: &Web, frame: &Frame, key: i64, error: Error) -> Result<Response> {
        frame.go_sorry(&Self::page(&key), &format!("{error}. Release what it holds first."))
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
