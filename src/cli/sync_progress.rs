//! The progress of a sync: a bar with rate and remaining time on a terminal, plain lines elsewhere.

use std::{
    fmt,
    io::{self, IsTerminal as _, Write as _},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use super::out;
use crate::progress::{Now, Progress};

/// How often a plain line is written within one phase.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// A progress that is shown.
pub struct Shown {
    /// What the sync reports to.
    pub progress: Arc<Progress>,
    bar: Option<ProgressBar>,
}

impl Shown {
    /// Takes the bar away, so that other output can be written.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A progress shown on stderr, as befits what stderr is.
pub fn new() -> Arc<Shown> {
    if !io::stderr().is_terminal() {
        let last: Mutex<(String, Instant)> = Mutex::new((String::new(), Instant::now()));
        return Arc::new(Shown { progress: Arc::new(Progress::watched(move |now| plain(&last, now))), bar: None });
    }
    let bar = ProgressBar::no_length();
    let shown = bar.clone();
    let phase = Mutex::new(String::new());
    let progress = Progress::watched(move |now| draw(&shown, &phase, now));
    Arc::new(Shown { progress: Arc::new(progress), bar: Some(bar) })
}

fn plain(last: &Mutex<(String, Instant)>, now: &Now) {
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    if last.0 != now.phase {
        out::note(format_args!("{} …", now.phase));
    } else if last.1.elapsed() >= PLAIN_EVERY {
        out::note(now.line());
    } else {
        return;
    }
    *last = (now.phase.clone(), Instant::now());
}

fn draw(bar: &ProgressBar, phase: &Mutex<String>, now: &Now) {
    let mut phase = phase.lock().unwrap_or_else(PoisonError::into_inner);
    if *phase != now.phase {
        phase.clone_from(&now.phase);
        let template = match now.total {
            Some(_) => "{msg:34} {bar:30} {pos}/{len} {rate} {eta} left",
            None => "{spinner} {msg:32} {pos} {rate} {elapsed}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            let rate = |state: &ProgressState, to: &mut dyn fmt::Write| {
                let _cannot_fail = write!(to, "{:.0}/s", state.per_sec());
            };
            bar.set_style(style.with_key("rate", rate));
        }
        bar.reset();
    }
    let message = now.waiting.map_or_else(|| now.phase.clone(), |seconds| format!("waiting for the rate limit, {seconds} s"));
    if bar.message() != message {
        bar.set_message(message);
    }
    match now.total {
        Some(total) => bar.set_length(total.max(now.done)),
        None => bar.unset_length(),
    }
    bar.set_position(now.done);
    bar.tick();
}

/// Asks a person; `None` when nobody answers.
pub fn ask(question: &str) -> Option<String> {
    let mut err = io::stderr().lock();
    let _nobody_sees = write!(err, "{question}").and_then(|()| err.flush());
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer).ok()?;
    (read > 0).then(|| answer.trim().to_lowercase())
}
