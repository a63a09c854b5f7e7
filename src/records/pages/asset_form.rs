//! Adding and editing an asset.

use axum::{extract::State, response::Response};

use super::{
    edit::{Doubles, FormPage, Part, Typed, changed, section},
    mention, protected_as, store,
};
use crate::{
    agents::Frame,
    assets::{Asset, AssetViewContext, rules, store as assets},
    auth::Editor,
    companies::store as companies,
    error::Result,
    web::{
        Fields, Path, Web,
        view::{Choice, Field, Section},
    },
};

/// `GET /assets/new`
pub async fn new(State(web): State<Web>, _: Editor, frame: Frame) -> Result<Response> {
    let mut typed = Typed::default();
    typed.set("company_account_number", frame.query.get("company").unwrap_or_default());
    typed.set("type", "workstation");
    typed.set("status", "active");
    let form = form(&web, &frame, None, &typed).await?;
    frame.show(&form)
}

/// `POST /assets/new`
pub async fn create(State(web): State<Web>, editor: Editor, frame: Frame, fields: Fields) -> Result<Response> {
    let typed = Typed::new(fields.map().clone());
    if let Some(doubles) = doubles(&web, &frame, &fields, &typed).await? {
        return form(&web, &frame, None, &typed).await?.ask(&frame, doubles);
    }
    let saved = match rules::read(fields, true) {
        Ok(input) => web.db.write(&editor.scope(), &editor.actor(), move |w| assets::create(w, &input)).await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(asset) => frame.go(&format!("/assets/{}", asset.id), &format!("{} was added.", asset.hostname)),
        Err(error) => form(&web, &frame, None, &typed).await?.fail(&frame, error),
    }
}

async fn doubles(web: &Web, frame: &Frame, fields: &Fields, typed: &Typed) -> Result<Option<Doubles>> {
    let (hostname, company) = (typed.text("hostname"), typed.text("company_account_number"));
    let wanted = hostname.clone();
    let known = web
        .db
        .read(&frame.scope(), move |c| match companies::find_id(c, &company)? {
            Some(company) => store::assets_named(c, &wanted, company),
            None => Ok(Vec::new()),
        })
        .await?;
    let known = known.into_iter().map(|(id, name)| mention(frame.page.url(&format!("/assets/{id}")), name)).collect();
    Ok(Doubles::unless_confirmed(fields, "This company has an asset with this hostname already", &hostname, known))
}

/// `GET /assets/{id}/edit`
pub async fn edit(State(web): State<Web>, _: Editor, frame: Frame, Path(id): Path<i64>) -> Result<Response> {
    let view_context = AssetViewContext::of(&frame.caller, &web.config, &frame.query)?;
    let view = web.db.read(&frame.scope(), move |c| assets::get_view(c, id)).await?.redact(&view_context);
    let form = form(&web, &frame, Some((id, view.row.hostname.clone())), &Typed::of(&view)?).await?;
    frame.show(&form)
}

/// `POST /assets/{id}/edit`
pub async fn update(
    State(web): State<Web>,
    editor: Editor,
    frame: Frame,
    Path(id): Path<i64>,
    fields: Fields,
) -> Result<Response> {
    let typed = Typed::new(fields.map().clone());
    let rev = typed.rev();
    let view_context = AssetViewContext::of(&frame.caller, &web.config, &frame.query)?;
    let policy = view_context.policy.clone();
    let view = web.db.read(&frame.scope(), move |c| assets::get_view(c, id)).await?.redact(&view_context);
    let shown = form(&web, &frame, Some((id, view.row.hostname.clone())), &Typed::of(&view)?).await?;
    let saved = match rules::read(changed(&shown, &fields), false) {
        Ok(input) => web.db.write(&editor.scope(), &editor.actor(), move |w| assets::update(w, id, &input, rev, &policy)).await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(updated) => {
            let done = if updated.changed.is_empty() { "No changes to save." } else { "Saved." };
            frame.go(&format!("/assets/{id}"), done)
        }
        Err(error) => form(&web, &frame, Some((id, view.row.hostname)), &typed).await?.fail(&frame, error),
    }
}

async fn form(web: &Web, frame: &Frame, known: Option<(i64, String)>, typed: &Typed) -> Result<FormPage> {
    let companies = web.db.read(&frame.scope(), store::company_choices).await?;
    let mut sections = parts(typed, companies);
    if let (Some(_), Some(first)) = (&known, sections.first_mut()) {
        first.fields.push(protected_as(typed));
    }
    let list = frame.page.url("/assets/");
    let mut crumbs = vec![mention(list.clone(), "Assets")];
    let (title, action, back, save) = match known {
        None => ("New asset".to_owned(), frame.page.url("/assets/new"), list, "Add asset"),
        Some((id, name)) => {
            let here = frame.page.url(&format!("/assets/{id}"));
            crumbs.push(mention(here.clone(), name.clone()));
            (format!("Edit {name}"), format!("{here}/edit"), here, "Save")
        }
    };
    Ok(FormPage {
        page: frame.titled(Section::Assets, title),
        crumbs,
        problems: Vec::new(),
        doubles: None,
        action,
        rev: typed.text("rev"),
        sections,
        save,
        back,
    })
}

fn parts(typed: &Typed, companies: Vec<Choice>) -> Vec<Part> {
    let company = Field::select("company_account_number", "Company", typed.text("company_account_number"), companies).required();
    vec![section::<Asset>(typed, "Device", vec![("company_id", company)]), section::<Asset>(typed, "Links", Vec::new())]
}
