//! The licences of the demo's clients: some about to renew, one that has ended, and one with more seats held than there are.

use super::{Worker, firms::Firm};
use crate::{
    companies::Company,
    db::Write,
    error::Result,
    history,
    licences::{License, Seat},
    types::office::day_from_today,
};

/// What clients may use: product, vendor, how many seats beside those that are held, cents for a seat and term, days from today
/// until it ends, whether it renews by itself.
const PRODUCTS: [(&str, &str, i64, i64, i64, bool); 3] = [
    ("Office Suite Business", "Contoso", 3, 15_000, 240, true),
    ("Endpoint Protection", "Northwind Security", 0, 4_800, 60, true),
    ("Drawing Studio", "Fabrikam", 2, 62_000, -12, false),
];
/// How many people of a client hold a seat of each at most.
const HOLDERS: usize = 12;

/// Adds a client's licences with their seats; `place` makes clients differ.
pub fn add(w: &mut Write<'_>, firm: &Firm, company: &Company, staff: &[Worker], place: i64) -> Result<()> {
    if !firm.is_client() {
        return Ok(());
    }
    for ((product, vendor, spare, price, ends, auto_renews), number) in PRODUCTS.into_iter().zip(0_i64..) {
        // The second client has let one more in than it has licensed; not every client draws.
        let (spare, draws) = if place == 1 && number == 0 { (-1, true) } else { (spare, place % 3 == 0) };
        if number == 2 && !draws {
            continue;
        }
        let holders = staff.iter().skip(usize::try_from(number).unwrap_or_default()).take(HOLDERS);
        let held = i64::try_from(holders.len()).unwrap_or_default();
        let seats = (held + spare).max(0);
        let license = License {
            company_id: company.id,
            product: product.to_owned(),
            vendor: Some(vendor.to_owned()),
            seats: Some(seats),
            price: Some(price * seats),
            term: Some("1-Year".to_owned()),
            starts_on: Some(day_from_today(ends + 7 * place - 365)),
            expires_on: Some(day_from_today(ends + 7 * place)),
            auto_renews,
            ..License::default()
        };
        let license_id = history::create(w, &license, None)?.id;
        for holder in holders {
            let seat = Seat { company_id: company.id, license_id, contact_id: Some(holder.id), ..Seat::default() };
            history::create(w, &seat, None)?;
        }
    }
    Ok(())
}
