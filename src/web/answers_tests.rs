use axum::http::HeaderValue;

use super::*;
use crate::{
    db::Db,
    types::{Actor, Scope},
    web::test_state,
};

const MOST: usize = 64 * 1024;

async fn answers(db: &Db) -> Answers {
    while db.change_notifier().is_none() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // What listens has counted the state it found.
    tokio::time::sleep(Duration::from_millis(20)).await;
    Answers::new(db.clone(), Budget::new(4 * MOST), MOST, false)
}

fn request(headers: &[(&'static str, &'static str)]) -> Request {
    let mut request = Request::builder().uri("/api/companies?limit=2");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

fn response(body: &'static str) -> Response {
    let mut response = Response::new(Body::from(body));
    response.extensions_mut().insert(Keepable);
    response
}

async fn ask(answers: &Answers, headers: &[(&'static str, &'static str)], made: impl FnOnce() -> Response) -> (bool, Response) {
    match answers.find(&request(headers), true) {
        Found::Answer(response, _) => (true, response),
        Found::New(question) => (false, answers.keep(question, made()).await),
        Found::Soon(_) => panic!("nobody else makes it"),
        Found::Nothing => (false, made()),
    }
}

async fn text(response: Response) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn exactly_the_same_request_is_sent_the_same_answer_until_anything_changes() {
    let (web, _folder) = test_state(true);
    let answers = answers(&web.db).await;
    let ada = [("authorization", "Bearer ada"), ("accept", "text/html")];
    assert!(!ask(&answers, &ada, || response("one")).await.0);
    let (known, again) = ask(&answers, &ada, || response("two")).await;
    assert!(known && text(again).await == "one");
    for other in [
        [("authorization", "Bearer tess"), ("accept", "text/html")],
        [("authorization", "Bearer ada"), ("accept", "text/csv")],
        [("authorization", "Bearer ada"), ("cookie", "codex_theme=dark")],
        [("authorization", "Bearer ada"), ("x-forwarded-prefix", "/codex")],
    ] {
        assert!(!ask(&answers, &other, || response("other")).await.0, "{other:?}");
    }
    let named = [("x-request-id", "abc"), ada[0], ada[1]];
    assert!(ask(&answers, &named, || response("two")).await.0, "a name for logs changes nothing");

    web.db.write(&Scope::All, &Actor::system("test"), |_| Ok(())).await.unwrap();
    let (known, anew) = ask(&answers, &ada, || response("three")).await;
    assert!(!known && text(anew).await == "three", "who has written reads what they wrote");
    drop(answers.changing());
    assert!(!ask(&answers, &ada, || response("four")).await.0, "a change that no commit tells of");
}

#[tokio::test]
async fn only_what_is_the_same_for_everybody_who_asks_so_is_kept() {
    let (web, _folder) = test_state(true);
    let answers = answers(&web.db).await;
    let with = |name: HeaderName, value: &'static str| {
        let mut response = response("x");
        response.headers_mut().insert(name, HeaderValue::from_static(value));
        response
    };
    let mut noted = response("x");
    noted.extensions_mut().insert(Noted);
    let mut failed = response("x");
    *failed.status_mut() = StatusCode::NOT_FOUND;
    let unlike = [
        Response::new(Body::from("unmarked")),
        noted,
        failed,
        with(header::SET_COOKIE, "a=b"),
        with(header::CACHE_CONTROL, "private, no-store"),
        with(COUNTED, "60"),
    ];
    for unlike in unlike {
        ask(&answers, &[], || unlike).await;
        assert!(!ask(&answers, &[], || Response::new(Body::empty())).await.0);
    }
    for unasked in ["content-length", "transfer-encoding"] {
        assert!(matches!(answers.find(&request(&[(unasked, "1")]), true), Found::Nothing), "{unasked}");
    }
    let mut post = request(&[]);
    *post.method_mut() = Method::POST;
    assert!(matches!(answers.find(&post, true), Found::Nothing));
}

#[tokio::test]
async fn a_page_has_a_tag_and_whoever_has_it_is_sent_no_body() {
    let (web, _folder) = test_state(true);
    let answers = answers(&web.db).await;
    let (_, first) = ask(&answers, &[], || response("page")).await;
    let tag: &'static str = first.headers()["etag"].to_str().unwrap().to_owned().leak();
    let (known, second) = ask(&answers, &[("if-none-match", tag)], || response("page")).await;
    assert!(known && second.status() == StatusCode::NOT_MODIFIED && second.headers()["etag"] == tag);
    assert_eq!(text(second).await, "");
    let (known, third) = ask(&answers, &[("if-none-match", "\"another\"")], || response("page")).await;
    assert!(known && third.status() == StatusCode::OK && text(third).await == "page");
    // The first one to ask may have it already, from before.
    drop(answers.changing());
    let (known, fourth) = ask(&answers, &[("if-none-match", tag)], || response("page")).await;
    assert!(!known && fourth.status() == StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn a_tag_alone_answers_only_those_who_have_what_it_names() {
    let (web, _folder) = test_state(true);
    let answers = answers(&web.db).await;
    let not_modified = || {
        let mut known = response("");
        *known.status_mut() = StatusCode::NOT_MODIFIED;
        known.headers_mut().insert(header::ETAG, HeaderValue::from_static("\"7\""));
        known
    };
    ask(&answers, &[("if-none-match", "\"7\"")], not_modified).await;
    let (known, again) = ask(&answers, &[("if-none-match", "\"7\"")], not_modified).await;
    assert!(known && again.status() == StatusCode::NOT_MODIFIED);
    assert!(!ask(&answers, &[], || response("whole")).await.0, "there is no body to send");
    let (known, whole) = ask(&answers, &[], || response("other")).await;
    assert!(known && text(whole).await == "whole");
}

#[tokio::test]
async fn what_is_kept_is_bounded_paid_for_and_gone_after_two_seconds() {
    let (web, _folder) = test_state(true);
    let answers = answers(&web.db).await;
    let large: &'static str = "x".repeat(MOST / 2).leak();
    ask(&answers, &[("cookie", "a")], || response(large)).await;
    ask(&answers, &[("cookie", "b")], || response(large)).await;
    assert!(ask(&answers, &[("cookie", "a")], || response("")).await.0);
    assert!(!ask(&answers, &[("cookie", "b")], || response("")).await.0, "there was no room for it");
    assert!(answers.0.budget.take(4 * MOST - MOST / 2).is_none(), "what is kept counts");
    tokio::time::sleep(3 * LASTS).await;
    assert!(answers.0.budget.take(4 * MOST).is_some(), "and is given back");
    assert!(!answers.seconds().is_swept);
}

#[tokio::test]
async fn one_request_makes_an_answer_anew_for_all_who_ask_meanwhile() {
    let (web, _folder) = test_state(true);
    let answers = answers(&web.db).await;
    let find = |cookie: &'static str| answers.find(&request(&[("cookie", cookie)]), true);
    let maker = |found: Found| match found {
        Found::New(question) => question,
        _ => panic!("nobody makes it yet"),
    };
    let making = |found: Found| match found {
        Found::Soon(making) => making,
        _ => panic!("somebody makes it"),
    };
    let (one, two) = (maker(find("a")), maker(find("a")));
    answers.keep(one, response("one")).await;
    drop((two, answers.changing()));
    let first = maker(find("a"));
    let waiting = making(find("a"));
    drop(maker(find("b")));
    let waiting = tokio::spawn(async move { waiting.made().await });
    answers.keep(first, response("two")).await;
    waiting.await.unwrap();
    let Found::Answer(again, _) = answers.find(&request(&[("cookie", "a")]), false) else { panic!("it was made") };
    assert_eq!(text(again).await, "two");

    // Who leaves without an answer leaves it to the others.
    drop(answers.changing());
    let first = maker(find("a"));
    let waiting = making(find("a"));
    drop(first);
    waiting.made().await;
    // Nobody waits for what is older than a change.
    let older = maker(answers.find(&request(&[("cookie", "a")]), true));
    drop(answers.changing());
    let newer = maker(find("a"));
    drop(older);
    making(find("a"));
    answers.keep(newer, response("three")).await;
    assert!(ask(&answers, &[("cookie", "a")], || response("four")).await.0);
}
