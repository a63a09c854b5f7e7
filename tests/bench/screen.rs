//! How fast the second net searches texts, in MB/s: ordinary tickets, texts full of findings, and markup, with the names of
//! 10,000 protected people. `cargo run --release --example screen`.

use std::time::Instant;

use codex::compliance::screen::Screen;

/// For how long each kind of text is searched, in seconds.
const LONG: f64 = 2.0;

fn main() {
    let people: Vec<String> = (0..10_000).map(|number| format!("Given{} Family{number}", number % 700)).collect();
    let began = Instant::now();
    let screen = match Screen::new(&people, true, 0) {
        Ok(screen) => screen,
        Err(error) => return say(&format!("the names cannot be searched for: {error}")),
    };
    say(&format!("{:>7.1} ms  to get ready for 10,000 names", began.elapsed().as_secs_f64() * 1e3));
    let plain = "The printer on the second floor shows error 49.4C02 again; we restarted it twice and updated its firmware. ";
    let full =
        "Given17 Family717 (born 01/02/1980, SSN 219-09-9999) rang from (555) 234-4242 about given18 family718@ward.example. ";
    let markup =
        "<p>Hello <b>all</b>,&nbsp;please see <a href=\"https://status.example.com/incidents/4711\">the incident</a>.</p>\n";
    for (what, text) in [("ordinary text", plain), ("full of findings", full), ("markup", markup)] {
        let text = text.repeat(2_000 / text.len() + 1);
        let (mut bytes, began) = (0_u64, Instant::now());
        while began.elapsed().as_secs_f64() < LONG {
            bytes += text.len() as u64;
            std::hint::black_box(screen.of(std::hint::black_box(&text)));
        }
        #[expect(clippy::cast_precision_loss, reason = "a few gigabytes fit a double")]
        let speed = bytes as f64 / began.elapsed().as_secs_f64() / 1e6;
        say(&format!("{speed:>7.1} MB/s {what}, 2 KB a text"));
    }
}

#[expect(clippy::print_stdout, reason = "what is measured is printed")]
fn say(line: &str) {
    println!("{line}");
}
