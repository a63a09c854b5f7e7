use super::*;

const NOW: &str = "2026-11-21T12:00:00Z";
const BEGIN: &str = "2000-01-01T00:00:00Z";

/// A vendor with tickets in the order in which it lists them.
struct Vendor {
    tickets: Vec<Shown>,
    per_page: usize,
    /// Whether it minds the moment that is asked for.
    minds_since: bool,
    /// No page beyond this one has anything.
    deepest: usize,
}

fn at(second: i64) -> String {
    plus("2026-01-01T00:00:00Z", second).unwrap()
}

fn ticket(id: i64, second: i64) -> Shown {
    Shown { id: Some(id.to_string()), updated_at: Some(at(second)) }
}

impl Vendor {
    fn of(tickets: Vec<Shown>) -> Self {
        Self { tickets, per_page: 100, minds_since: true, deepest: usize::MAX }
    }

    fn page(&self, since: &str, page: u32) -> Vec<Shown> {
        let minds = |ticket: &&Shown| !self.minds_since || ticket.updated_at.as_deref().is_some_and(|at| at >= since);
        let page = page as usize;
        let skip = if page > self.deepest { usize::MAX } else { (page - 1) * self.per_page };
        self.tickets.iter().filter(minds).skip(skip).take(self.per_page).cloned().collect()
    }
}

/// Walks to the end; `between` happens after every page. Returns the ids met and the number of requests.
fn walk_with(vendor: &mut Vendor, listing: &mut Listing, mut between: impl FnMut(&mut Vendor, u32)) -> (Vec<i64>, u32) {
    let mut met = std::collections::BTreeSet::new();
    for request in 1..2000 {
        let page = vendor.page(listing.since(), listing.page());
        met.extend(page.iter().filter_map(|ticket| ticket.id.as_deref()?.parse::<i64>().ok()));
        match listing.take(&page) {
            Step::Ask | Step::Again => between(vendor, request),
            Step::Done => return (met.into_iter().collect(), request),
            Step::Broken(why) => panic!("{why}"),
        }
    }
    panic!("no end")
}

fn walk(vendor: &mut Vendor, listing: &mut Listing) -> (Vec<i64>, u32) {
    walk_with(vendor, listing, |_, _| {})
}

#[test]
fn an_ordered_list_is_walked_by_windows_however_deep_it_is() {
    let mut vendor = Vendor { deepest: 3, ..Vendor::of((1..=5000).map(|id| ticket(id, id * 60)).collect()) };
    let mut listing = Listing::new(BEGIN, NOW, true);
    let (met, requests) = walk(&mut vendor, &mut listing);
    assert_eq!(met.len(), 5000);
    assert!(requests < 65, "{requests}");
    assert_eq!(listing.max_seen(), Some(at(300_000).as_str()));
}

#[test]
fn tickets_that_change_meanwhile_hide_nobody() {
    let mut vendor = Vendor::of((1..=1000).map(|id| ticket(id, id * 60)).collect());
    let mut listing = Listing::new(BEGIN, NOW, true);
    let (met, _) = walk_with(&mut vendor, &mut listing, |vendor, request| {
        // Tickets from the front move to the end, and everything else moves up.
        if request < 8 {
            for _ in 0..7 {
                let mut moved = vendor.tickets.remove(0);
                moved.updated_at = Some(at(100_000 + i64::from(request)));
                vendor.tickets.push(moved);
            }
        }
    });
    assert_eq!(met, (1..=1000).collect::<Vec<_>>());
}

#[test]
fn a_list_in_another_order_is_walked_page_by_page() {
    for offset in [0, 37, 99] {
        // In the order of creation; some have changed since, one of them at the very end of a page.
        let changed = |id: i64| if id % 100 == offset { 1_000_000 + id } else { id * 60 };
        let mut vendor = Vendor::of((1..=2500).map(|id| ticket(id, changed(id))).collect());
        assert_eq!(walk(&mut vendor, &mut Listing::new(BEGIN, NOW, true)).0.len(), 2500, "{offset}");
        vendor.tickets.reverse();
        assert_eq!(walk(&mut vendor, &mut Listing::new(BEGIN, NOW, true)).0.len(), 2500, "{offset}");
    }
    let one = |id: i64| if id == 100 { 1_000_000 } else { id * 60 };
    let mut vendor = Vendor::of((1..=2500).map(|id| ticket(id, one(id))).collect());
    assert_eq!(walk(&mut vendor, &mut Listing::new(BEGIN, NOW, false)).0.len(), 2500);
}

#[test]
fn a_list_that_ignores_the_moment_is_read_whole() {
    let mut vendor = Vendor { minds_since: false, ..Vendor::of((1..=450).map(|id| ticket(id, id * 60)).collect()) };
    assert_eq!(walk(&mut vendor, &mut Listing::new(BEGIN, NOW, true)).0.len(), 450);
    assert_eq!(walk(&mut vendor, &mut Listing::new(&at(20_000), NOW, false)).0.len(), 450);
}

#[test]
fn short_pages_and_one_second_for_all_are_no_end() {
    let mut vendor = Vendor { per_page: 10, ..Vendor::of((1..=333).map(|id| ticket(id, id * 60)).collect()) };
    assert_eq!(walk(&mut vendor, &mut Listing::new(BEGIN, NOW, true)).0.len(), 333);
    let mut vendor = Vendor::of((1..=1234).map(|id| ticket(id, 60)).collect());
    assert_eq!(walk(&mut vendor, &mut Listing::new(BEGIN, NOW, true)).0.len(), 1234);
}

#[test]
fn nothing_new_costs_two_requests() {
    let mut vendor = Vendor::of((1..=500).map(|id| ticket(id, id * 60)).collect());
    let mut listing = Listing::new(&at(500 * 60 - 600), NOW, false);
    let (met, requests) = walk(&mut vendor, &mut listing);
    assert_eq!((met.len(), requests), (11, 2));
}

#[test]
fn one_page_for_ever_is_found_out() {
    let page: Vec<Shown> = (1..=100).map(|id| ticket(id, id * 60)).collect();
    let mut listing = Listing::new(BEGIN, NOW, true);
    let end = (0..20).map(|_| listing.take(&page)).find(|step| matches!(step, Step::Done | Step::Broken(_)));
    assert!(matches!(end, Some(Step::Broken(_))));
}

#[test]
fn an_interrupted_listing_goes_on_where_it_was() {
    let mut vendor = Vendor::of((1..=1000).map(|id| ticket(id, id * 60)).collect());
    let mut first = Listing::new(BEGIN, NOW, true);
    for _ in 0..4 {
        let page = vendor.page(first.since(), first.page());
        first.take(&page);
    }
    let cursor = first.cursor().unwrap().to_owned();
    let mut second = Listing::new(BEGIN, NOW, true).resumed(&cursor, first.max_seen());
    let (met, requests) = walk(&mut vendor, &mut second);
    assert!(met.contains(&1000) && met.len() > 600 && met.len() < 700 && requests < 12, "{} {requests}", met.len());
}

#[test]
fn garbage_times_neither_disturb_the_order_nor_move_the_watermark() {
    let mut tickets: Vec<Shown> = (1..=300).map(|id| ticket(id, id * 60)).collect();
    tickets.insert(150, Shown { id: Some("9001".to_owned()), updated_at: Some("2099-01-01T00:00:00Z".to_owned()) });
    tickets.push(Shown { id: Some("9002".to_owned()), updated_at: Some("2099-01-01T00:00:00Z".to_owned()) });
    let mut listing = Listing::new(BEGIN, NOW, true);
    let (met, requests) = walk(&mut Vendor::of(tickets), &mut listing);
    assert_eq!(met.len(), 302);
    assert!(requests < 10);
    assert_eq!(listing.max_seen(), Some(at(18_000).as_str()));
}

#[test]
fn only_a_complete_listing_from_before_it_moves_the_watermark_forward() {
    let (a, b) = (at(100), at(200));
    assert_eq!(watermark(None, BEGIN, Some(&a), NOW).as_deref(), Some(a.as_str()));
    assert_eq!(watermark(Some(&a), BEGIN, Some(&b), NOW).as_deref(), Some(b.as_str()));
    assert_eq!(watermark(Some(&b), BEGIN, Some(&a), NOW).as_deref(), Some(b.as_str()));
    assert_eq!(watermark(Some(&a), &at(150), Some(&b), NOW).as_deref(), Some(a.as_str()));
    assert_eq!(watermark(Some(&a), BEGIN, None, NOW).as_deref(), Some(a.as_str()));
    assert_eq!(watermark(None, BEGIN, Some("2099-01-01T00:00:00Z"), NOW).as_deref(), Some(NOW));
}
