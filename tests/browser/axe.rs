//! axe-core over every page, in both widths and both themes. It is not part of this repository: `CODEX_TEST_AXE` says where
//! its `axe.min.js` is, and without it this says that it was skipped. What is minor is not counted.

use serde_json::{Value, json};

use crate::driver::window;
use crate::flows::sign_in;
use crate::looks::world;

/// What is tested: WCAG 2.2 at AA, and what axe thinks good practice.
const RUN: &str = r#"
    const done = arguments[arguments.length - 1];
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    axe.run(document, { runOnly: { type: "tag", values: tags }, resultTypes: ["violations"], rules: { "target-size": { enabled: true } } })
        .then((found) => done(found.violations
            .filter((one) => one.impact !== "minor")
            .flatMap((one) => one.nodes.slice(0, 3).map((node) => `${one.impact} ${one.id}: ${node.html.slice(0, 140)} | ${node.failureSummary.split("\n").slice(1, 3).join(" ").slice(0, 160)}`))))
        .catch((error) => done([String(error)]));
"#;

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_that_is_more_than_minor() {
    let Ok(path) = std::env::var("CODEX_TEST_AXE") else {
        eprintln!("skipped: CODEX_TEST_AXE does not say where axe.min.js is");
        return;
    };
    let axe = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let (app, api, pages) = world().await;
    for (width, theme) in [(1280, "light"), (1280, "dark"), (500, "light")] {
        api.put("/api/my/settings", &json!({"theme_preference": theme})).await.status(200);
        let (axe, pages) = (axe.clone(), pages.clone());
        window(&format!("axe-{width}-{theme}"), app.base(), width, theme == "dark", |browser| async move {
            let mut wrong = Vec::new();
            sign_in(&browser, "ada").await;
            for page in &pages {
                browser.go(page).await;
                browser.script(&axe).await;
                if let Value::Array(found) = browser.script_done(RUN).await {
                    wrong.extend(found.iter().map(|one| format!("{page} ({width} px, {theme}): {one}")));
                }
            }
            assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
        })
        .await;
    }
}
