//! A Chromium of its own for each flow, by way of chromedriver.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};

/// How long a page may take to show what is waited for: a shared machine, a debug build.
const PATIENCE: Duration = Duration::from_secs(15);

/// A browser window, the driver behind it, and the address of the program under test.
pub struct Browser {
    client: Client,
    driver: String,
    session: String,
    base: String,
    process: Child,
    clicks: AtomicUsize,
    _profile: tempfile::TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _already_gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

fn start_driver() -> (Child, String) {
    let mut command = Command::new("chromedriver");
    let mut child = command
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver; tests/run installs it");
    let output = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut lines = output.lines().map_while(Result::ok);
    let line = lines.find(|line| line.contains("started successfully on port")).expect("chromedriver starts");
    // It goes on talking; a pipe nobody reads would stop it one day.
    std::thread::spawn(move || lines.for_each(drop));
    let port = line.trim_end_matches('.').rsplit(' ').next().expect("a port").to_owned();
    (child, format!("http://127.0.0.1:{port}"))
}

fn capabilities(profile: &std::path::Path, width: u32, dark: bool) -> Value {
    let mut arguments = vec![
        "--headless=new".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--disable-gpu".to_owned(),
        "--no-proxy-server".to_owned(),
        "--no-first-run".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--disable-default-apps".to_owned(),
        "--disable-features=Translate,OptimizationHints,MediaRouter".to_owned(),
        "--force-prefers-reduced-motion".to_owned(),
        format!("--window-size={width},900"),
        format!("--user-data-dir={}", profile.display()),
    ];
    if dark {
        arguments.push("--force-dark-mode".to_owned());
    }
    json!({
        "browserName": "chrome", "pageLoadStrategy": "normal", "goog:loggingPrefs": {"browser": "ALL"},
        "goog:chromeOptions": {"args": arguments},
    })
}

/// Whether the page and all of its frames are loaded.
const LOADED: &str = r#"
    const done = (page) => page?.readyState === "complete" && page.scrollingElement !== null;
    return done(document) && [...document.querySelectorAll("iframe")].every((frame) =>
        done(frame.contentDocument) && frame.contentWindow.location.href !== "about:blank");
"#;

impl Browser {
    /// A window of this width on the program at this address.
    pub async fn open(base: &str, width: u32, dark: bool) -> Self {
        let profile = tempfile::tempdir().expect("a folder for the browser");
        let (process, driver) = start_driver();
        let Value::Object(wanted) = capabilities(profile.path(), width, dark) else { panic!("capabilities are an object") };
        let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
        let client = builder.capabilities(wanted).connect(&driver).await.expect("a Chromium");
        let session = client.session_id().await.expect("a session").expect("its id");
        Self { client, driver, session, base: base.to_owned(), process, clicks: AtomicUsize::new(0), _profile: profile }
    }

    /// Opens a path of the program and waits until it and its frames are there: on a busy machine the driver
    /// may answer while a frame is still empty.
    pub async fn go(&self, path: &str) {
        let address = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        self.client.goto(&address).await.unwrap_or_else(|error| panic!("{path}: {error}"));
        let end = std::time::Instant::now() + PATIENCE;
        while !matches!(self.client.execute(LOADED, Vec::new()).await, Ok(Value::Bool(true))) {
            assert!(std::time::Instant::now() < end, "{path} did not load");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The first element that matches, waited for.
    pub async fn find(&self, css: &str) -> Element {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await;
        found.unwrap_or_else(|error| panic!("no {css}: {error}"))
    }

    /// Whether an element is there now.
    pub async fn has(&self, css: &str) -> bool {
        self.client.find(Locator::Css(css)).await.is_ok()
    }

    /// How often somebody has clicked or chosen since the last time that this was asked. Keys do not count.
    pub fn clicks(&self) -> usize {
        self.clicks.swap(0, Ordering::Relaxed)
    }

    /// Clicks.
    pub async fn click(&self, css: &str) {
        self.clicks.fetch_add(1, Ordering::Relaxed);
        self.find(css).await.click().await.unwrap_or_else(|error| panic!("cannot click {css}: {error}"));
    }

    /// Clicks a link or button by its words.
    pub async fn click_words(&self, words: &str) {
        self.clicks.fetch_add(1, Ordering::Relaxed);
        let path = format!("//*[self::a or self::button or self::summary][contains(normalize-space(.), '{words}')]");
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::XPath(&path)).await;
        let element = found.unwrap_or_else(|error| panic!("nothing says '{words}': {error}"));
        element.click().await.unwrap_or_else(|error| panic!("cannot click '{words}': {error}"));
    }

    /// Replaces the text of a field.
    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.unwrap_or_else(|error| panic!("cannot clear {css}: {error}"));
        field.send_keys(text).await.unwrap_or_else(|error| panic!("cannot type into {css}: {error}"));
    }

    /// Types without choosing a field first.
    pub async fn press(&self, keys: &str) {
        self.find("body").await.send_keys(keys).await.unwrap_or_else(|error| panic!("cannot press {keys:?}: {error}"));
    }

    /// Chooses an option of a select (`#id`) by a part of its words.
    pub async fn choose(&self, css: &str, words: &str) {
        self.clicks.fetch_add(1, Ordering::Relaxed);
        let path = format!("//select[@id='{}']/option[contains(., '{words}')]", css.trim_start_matches('#'));
        let option =
            self.client.find(Locator::XPath(&path)).await.unwrap_or_else(|error| panic!("{css} has no '{words}': {error}"));
        option.click().await.unwrap_or_else(|error| panic!("cannot choose '{words}': {error}"));
    }

    /// Says yes to the browser's own question.
    pub async fn agree(&self) {
        self.clicks.fetch_add(1, Ordering::Relaxed);
        self.client.accept_alert().await.unwrap_or_else(|error| panic!("nothing was asked: {error}"));
    }

    /// Waits until the page shows this text.
    pub async fn shows(&self, text: &str) {
        let end = std::time::Instant::now() + PATIENCE;
        while !self.text().await.contains(text) {
            assert!(std::time::Instant::now() < end, "'{text}' never came; the page says:\n{}", self.text().await);
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
    }

    /// Waits until the page no longer shows this text.
    pub async fn hides(&self, text: &str) {
        let end = std::time::Instant::now() + PATIENCE;
        while self.text().await.contains(text) {
            assert!(std::time::Instant::now() < end, "'{text}' did not go away");
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
    }

    /// What a person reads on the page.
    pub async fn text(&self) -> String {
        match self.client.find(Locator::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// The path and query of the page.
    pub async fn path(&self) -> String {
        let url = self.client.current_url().await.expect("an address");
        url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
    }

    /// Runs a script in the page and gives its value.
    pub async fn script(&self, code: &str) -> Value {
        self.client.execute(code, Vec::new()).await.unwrap_or_else(|error| panic!("{code}: {error}"))
    }

    /// Runs a script that says when it is done by calling its last argument, and gives what it says.
    pub async fn script_done(&self, code: &str) -> Value {
        self.client.execute_async(code, Vec::new()).await.unwrap_or_else(|error| panic!("a script: {error}"))
    }

    /// Types into the palette and presses Enter at once, as somebody does who knows what they look for.
    pub async fn palette(&self, words: &str) {
        self.find(".rail").await;
        self.press("\u{e009}k\u{e000}").await;
        self.find(".modal.active input.palette").await.send_keys(&format!("{words}\u{e007}")).await.expect("typing");
    }

    /// Reads the console so far and drops it, after a failure that was wanted.
    pub async fn forget_console(&self) {
        self.console().await;
    }

    /// Fails when the page's console holds an error.
    pub async fn console_is_clean(&self) {
        let errors = self.console().await;
        assert!(errors.is_empty(), "the browser's console:\n{}", errors.join("\n"));
    }

    async fn console(&self) -> Vec<String> {
        let http = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
        let url = format!("{}/session/{}/se/log", self.driver, self.session);
        let answer = http.post(url).json(&json!({"type": "browser"})).send().await.expect("the browser's log");
        let log: Value = answer.json().await.expect("the browser's log as JSON");
        let entries = log["value"].as_array().unwrap_or_else(|| panic!("no log in {log}"));
        entries.iter().filter(|entry| entry["level"] == "SEVERE").map(|entry| entry["message"].to_string()).collect()
    }

    async fn screenshot(&self, name: &str) {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots");
        let _made = std::fs::create_dir_all(&folder);
        if let Ok(picture) = self.client.screenshot().await {
            let file = folder.join(format!("{name}.png"));
            let _written = std::fs::write(&file, picture);
            eprintln!("screenshot: {}", file.display());
        }
    }
}

/// Runs a flow in a window; afterwards the console must be clean. A failure leaves a screenshot.
pub async fn flow<F>(name: &str, base: &str, steps: impl FnOnce(std::sync::Arc<Browser>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    window(name, base, 1280, false, steps).await;
}

/// The same in a window of another width or theme.
pub async fn window<F>(name: &str, base: &str, width: u32, dark: bool, steps: impl FnOnce(std::sync::Arc<Browser>) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let browser = std::sync::Arc::new(Browser::open(base, width, dark).await);
    let (steps, watched) = (steps(std::sync::Arc::clone(&browser)), std::sync::Arc::clone(&browser));
    let ended = tokio::spawn(async move {
        steps.await;
        watched.console_is_clean().await;
    })
    .await;
    if ended.is_err() {
        browser.screenshot(name).await;
    }
    let _closed = browser.client.clone().close().await;
    if let Err(failure) = ended {
        std::panic::resume_unwind(failure.into_panic());
    }
}
