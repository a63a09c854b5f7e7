//! What the list of assets can be asked.

use super::{
    model::{Asset, AssetView, Observation, PERSONAL},
    staleness_store, store,
    view_context::AssetViewContext,
};
use crate::{
    companies::store as companies,
    compliance::{Asking, Personal, RedactionPolicy, found_by_shown},
    config::LifeDays,
    db::{
        Conn,
        list::{Column, Kind, ListQuery, ListSpec, Page, Private, Search},
    },
    entity::{Shaped as _, ending},
    error::Result,
    history::ranks,
    list_columns,
    web::Query,
};

/// Assets by hostname.
pub static LIST: ListSpec = ListSpec {
    entities: &["asset", "company", "contact"],
    select: store::select,
    from: store::FROM,
    key: "asset.id",
    columns: list_columns![
        Asset, Observation;
        Column::new("id", "asset.id", Kind::Int).required(),
        Column::text("name", "asset.hostname").folded("asset.hostname_folded").required(),
        Column::text("company_account_number", "company.account_number"),
        Column::text("company_id", "company.account_number"),
        Column::text("company_name", "company.name").folded("company.name_folded"),
        Column::new("created_at", "asset.created_at", Kind::Time).required(),
        Column::new("updated_at", "asset.updated_at", Kind::Time).required(),
    ],
    default_sort: "hostname",
    search: Some(Search { fts: "assets_fts", text: "asset.search_text", private: Some("asset.private_text") }),
    retired: Some("asset.retired_at"),
    own: &["company", "company_id", "company_account_number", "type", "life", "life__in", "warranty", "warranty__in"],
    fields: AssetView::names,
};

/// Whether this caller may search by what a device is seen with: addresses, and who uses it.
#[must_use]
pub fn traces(policy: &RedactionPolicy) -> Private {
    let hidden = [Personal::Name, Personal::Device].into_iter().any(|field| policy.hidden_from(field).is_some());
    if hidden { Private::Where(ranks::ASSET_IS_OPEN) } else { Private::Always }
}

/// What of assets tells of people.
pub static ASKING: Asking = Asking {
    rank: ranks::ASSET,
    columns: PERSONAL,
    // What tells of people is searched in a text of its own, by those who may: `traces` of the list.
    text: &[],
    always: &[],
};

/// The question without the assets that a search finds by what is struck from their descriptions.
pub fn by_shown(c: &mut Conn, query: ListQuery, policy: &RedactionPolicy) -> Result<ListQuery> {
    found_by_shown::<Asset>(c, query, policy, &["asset.description"], |asset| {
        asset.description = asset.description.take().map(|text| policy.screen(&text));
    })
}

/// The day on which a warranty ends.
pub const WARRANTY: &str = "asset.warranty_expires";

/// Asks for assets that belong to nobody yet.
pub const NO_COMPANY: &str = "none";

/// The filters that are more than a comparison with one column.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    company: Option<String>,
    kind: Option<String>,
    life: Option<Vec<&'static str>>,
    warranty: Option<ending::Asked>,
    /// Whether archived assets are left out, whatever is asked.
    without_archived: bool,
}

impl Filters {
    /// Reads them from a query string.
    ///
    /// # Errors
    /// When one of them cannot be read, naming it.
    pub fn read(query: &Query) -> Result<Self> {
        let text = |name: &str| query.text(name).map(|value| value.map(str::to_owned));
        Ok(Self {
            company: text("company_account_number")?.or(text("company_id")?).or(text("company")?),
            kind: text("type")?,
            life: text("life")?.or(text("life__in")?).map(|words| staleness_store::stages(&words)).transpose()?,
            warranty: ending::Asked::read(query, "warranty", WARRANTY)?,
            without_archived: false,
        })
    }

    /// The same, and archived assets are left out if the operator wants that of a neighbour's list.
    #[must_use]
    pub fn billed(mut self, archived_leave: bool) -> Self {
        self.without_archived = archived_leave;
        self
    }

    /// A stable text of them, for cache keys.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{self:?}")
    }

    fn add(&self, conn: &mut Conn, mut query: ListQuery, days: LifeDays) -> Result<ListQuery> {
        if self.company.as_deref() == Some(NO_COMPANY) {
            query = query.and("asset.company_id IS NULL", Vec::new());
        } else if let Some(company) = &self.company {
            let Some(id) = companies::find_standing_id(conn, company)? else { return Ok(query.and("1 = 0", Vec::new())) };
            query = query.and("asset.company_id = {}", vec![id.into()]);
        }
        if let Some(kind) = self.kind.as_ref().map(|kind| kind.to_ascii_lowercase()) {
            let any = "asset.kind = {} OR lower(asset.device_type) = {} OR lower(asset.hardware_type) = {}";
            query = query.and(any, vec![(&kind).into(), (&kind).into(), (&kind).into()]);
        }
        if let Some(warranty) = &self.warranty {
            query = warranty.narrow(query);
        }
        if let Some(stages) = &self.life {
            let (condition, values) = staleness_store::in_stages(conn, stages, days)?;
            query = query.and(&condition, values);
        }
        if self.without_archived {
            let (condition, values) = staleness_store::not_archived(conn, days)?;
            query = query.and(&condition, values);
        }
        Ok(query)
    }
}

/// Assets as asked, as this caller may see them.
pub fn list(conn: &mut Conn, query: &ListQuery, filters: &Filters, view_context: &AssetViewContext) -> Result<Page<AssetView>> {
    let mut items = Vec::new();
    let total = each(conn, query, filters, view_context, |asset| {
        items.push(asset);
        Ok(())
    })?;
    Ok(Page { items, total })
}

/// The same one by one, with how many there are on all pages.
pub fn each(
    conn: &mut Conn,
    query: &ListQuery,
    filters: &Filters,
    view_context: &AssetViewContext,
    mut take: impl FnMut(AssetView) -> Result<()>,
) -> Result<i64> {
    let query = filters.add(conn, query.clone(), view_context.days)?.searching(traces(&view_context.policy));
    let query = by_shown(conn, ASKING.allowed(query, &view_context.policy), &view_context.policy)?;
    query.each(conn, |row| take(store::view(row)?.redact(view_context)))
}
