//! Tells people and chats what goes wrong: once for each thing, by mail at once or once a day, or in a channel.
//! What can go wrong is a registry (`status/notice.rs`), which `app.rs` fills.

mod api;
mod channels;
mod dates_store;
pub mod kinds;
mod pages;
mod run;
mod settings;
mod store;

pub use self::run::run;
use self::{
    settings::Settings,
    store::{Channel, Notice, Undelivered},
};
use crate::status::notice::{self, How};
use crate::web::{Routes, openapi::schema as json};

/// The routes of this room.
#[must_use]
pub fn routes() -> Routes {
    let tried = |_: &mut json::Schemas| json::object(&[("delivered", json::flag()), ("error", json::or_null(json::text()))]);
    Routes::new()
        .get("/api/notices", api::index)
        .tells("List what is wrong now", json::list::<Notice>)
        .get("/api/my/notices", api::mine)
        .tells("Read what you are notified about", json::one::<Settings>)
        .put("/api/my/notices", api::choose)
        .tells("Choose what you are notified about: each kind is a member, with now, daily or off", json::one::<Settings>)
        .takes(|_| {
            let digest_at = serde_json::json!({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"});
            let how = json::choice(&How::ALL.map(|(_, word, _)| word));
            let mut members = vec![("digest_at", digest_at), ("time_zone", json::or_null(json::time_zone()))];
            members.extend(notice::kinds().iter().map(|kind| (kind.name, how.clone())));
            json::optional(&members)
        })
        .get("/api/notice-channels", api::channels)
        .tells("List the channels that are told notices", json::list::<Channel>)
        .post("/api/notice-channels", api::add_channel)
        .makes("Add a channel: Microsoft Teams, Slack or plain JSON", json::one::<Channel>)
        .takes(|_| {
            let url = json::hook();
            let format = json::choice(&channels::FORMATS.map(|(format, _)| format));
            let required = json::object(&[("name", json::words(100)), ("format", format), ("url", url)]);
            {
                let names: Vec<&str> = notice::kinds().iter().map(|kind| kind.name).collect();
                let kinds = serde_json::json!({"type": ["array", "null"], "minItems": 1, "items": json::choice(&names)});
                json::with(required, &[("kinds", kinds)])
            }
        })
        .delete("/api/notice-channels/{id}", api::remove_channel)
        .tells("Remove a channel", json::one::<Channel>)
        .post("/api/notice-channels/{id}/test", api::test_channel)
        .tells("Send a test message to a channel", tried)
        .get("/api/notices/undelivered", api::undelivered)
        .tells("List notices that could not be delivered", json::list::<Undelivered>)
        .post("/api/notices/undelivered/{id}/retry", api::retry)
        .tells("Try a notice again", |_| json::done(&[]))
        .post("/api/mail/test", api::test_mail)
        .tells("Send a test mail", tried)
        .may_take(|_| json::optional(&[("address", json::text())]))
        .get("/account/notices", pages::mine)
        .post("/account/notices", pages::choose)
        .get("/admin/notices", pages::admin)
        .form("/admin/notices/test-mail", "/admin/notices", pages::test_mail)
        .get("/admin/notices/channels/new", pages::new_channel)
        .post("/admin/notices/channels/new", pages::add_channel)
        .get("/admin/notices/channels/{id}", pages::channel)
        .form("/admin/notices/channels/{id}/test", "/admin/notices", pages::test_channel)
        .form("/admin/notices/channels/{id}/remove", "/admin/notices", pages::remove_channel)
        .form("/admin/notices/undelivered/{id}/retry", "/admin/notices", pages::retry)
}
