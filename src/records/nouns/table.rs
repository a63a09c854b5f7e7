//! What a noun's rows look like in tables of pages.

use crate::{
    companies::pages::address,
    db::list::Kind as ListKind,
    entity::{
        Cell, Field, Kind, Noun, Seen, Target,
        noun::{ABOUT_NAME, Beside, besides},
        once::of_type,
    },
    resource::{
        columns::{Columns, class_of},
        values::{ends, shown},
    },
    ui::{Page, Shown, Value},
};

/// The columns of a noun's list page: what people know it by, its company, its fields, what stands beside them.
pub fn columns<E: Noun>() -> &'static Columns<Seen<E>> {
    of_type::<E, Columns<Seen<E>>>(|| {
        let title = E::DOOR.title;
        let all = Columns::new(title, label::<E>(title), |seen: &Seen<E>| Value::words(seen.title()));
        let all = all.usual("company_name", "Company", "cell--sub cell--cut", company);
        let fields = E::FIELDS.iter().filter(|field| field.spec.is_listed && field.spec.emitted != title);
        let all = fields.fold(all, |all, field| match field.spec.kind {
            Kind::Reference(_) => match named(field) {
                Some(beside) => all_with(all, beside),
                None => all,
            },
            Kind::Long(_) | Kind::Markdown(_) => all,
            _ => {
                let spec = &field.spec;
                let column = Shown { key: spec.emitted, label: spec.label, class: class_of(spec), usual: spec.is_usual };
                all.with(column, Box::new(move |_, seen: &Seen<E>| shown(spec, &(field.read)(&seen.row))))
            }
        });
        let others = besides::<E>().iter().filter(|beside| beside.names.is_none() && beside.name != title);
        others.fold(all, all_with).other("updated_at", "Changed", "", |_, seen| Value::ago(Some(seen.row.updated_at())))
    })
}

fn label<E: Noun>(name: &str) -> &'static str {
    let field = E::FIELDS.iter().find(|field| field.spec.emitted == name).map(|field| field.spec.label);
    field.or_else(|| besides::<E>().iter().find(|beside| beside.name == name).map(|beside| beside.label)).unwrap_or("Name")
}

/// The name of what a field refers to.
fn named<E: Noun>(field: &Field<E>) -> Option<&'static Beside> {
    besides::<E>().iter().find(|beside| beside.names.is_some_and(|(column, _)| column == field.spec.column))
}

fn all_with<E: Noun>(all: Columns<Seen<E>>, beside: &'static Beside) -> Columns<Seen<E>> {
    let class = match beside.kind {
        ListKind::Bool if beside.is_presence => "cell--end",
        _ if E::ENDS.is_some_and(|ends| ends.name == beside.name) => "cell--end",
        _ if beside.names.is_some() => "cell--sub",
        ListKind::Int | ListKind::Real if beside.names.is_none() => "cell--number",
        _ => "",
    };
    let column = Shown { key: beside.name, label: beside.label, class, usual: beside.is_usual };
    all.with(column, Box::new(move |page, seen| value(page, seen, beside)))
}

fn company<E: Noun>(page: &Page, seen: &Seen<E>) -> Value {
    match (&seen.account_number, &seen.company_name) {
        (Some(number), Some(name)) => Value::link(address(page, number), name.clone()),
        _ => Value::None,
    }
}

/// What stands beside a row, as people read it.
pub fn value<E: Noun>(page: &Page, seen: &Seen<E>, beside: &Beside) -> Value {
    let cell = seen.beside(beside.name).map_or(Cell::Null, Cell::from);
    if let (Some(about), true, Some(name)) = (E::ABOUT, beside.name == ABOUT_NAME, cell.text()) {
        let (entity, id) = (about.record)(&seen.row);
        return Value::link(page.url(&format!("/records/{entity}/{id}")), name);
    }
    if let (Some((column, to)), Some(name)) = (beside.names, cell.text()) {
        return reference(page, seen, column, to, name);
    }
    if E::ENDS.is_some_and(|ends| ends.name == beside.name) {
        return cell.text().map_or(Value::None, ends);
    }
    match (beside.kind, &cell) {
        (_, Cell::Null) => Value::None,
        (ListKind::Bool, Cell::Bool(yes)) if beside.is_presence => Value::online(Some(*yes)),
        (ListKind::Bool, Cell::Bool(yes)) => Value::yes_no(*yes),
        (ListKind::Time, _) => Value::ago(cell.text()),
        (_, Cell::Int(number)) => Value::count(*number),
        _ => Value::code(cell.text()),
    }
}

fn reference<E: Noun>(page: &Page, seen: &Seen<E>, column: &str, to: &Target, name: &str) -> Value {
    let id = E::field(column).map(|field| (field.read)(&seen.row));
    match (to.page, id) {
        (Some(before), Some(Cell::Int(id))) => Value::link(page.url(&format!("{before}{id}")), name),
        _ => Value::words(name),
    }
}
