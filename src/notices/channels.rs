//! Chats and programs that are told notices: Microsoft Teams, Slack, or anybody who takes JSON.

use serde_json::{Value, json};

use super::{
    run::{headline, link},
    store::{self, Channel, Delivery},
};
use crate::{
    config::Config,
    db::Db,
    encryption::Encryption,
    error::{Error, Result},
    mail::Fault,
    outgoing_webhooks::send,
    status::notice,
    types::{Actor, Scope, now},
    web::Fields,
};

/// The formats, and what people call them.
pub const FORMATS: [(&str, &str); 3] = [("teams", "Microsoft Teams"), ("slack", "Slack"), ("plain", "Plain JSON")];
/// What addresses are sealed for.
const PURPOSE: &str = "notices.channel";

/// What is asked for of a new channel.
pub struct Wanted {
    name: String,
    format: String,
    url: String,
    kinds: Option<Vec<String>>,
}

impl Wanted {
    /// Reads and checks what was sent, naming every wrong value. In a form, nothing ticked stands for all kinds.
    ///
    /// # Errors
    /// `Invalid`.
    pub fn read(mut fields: Fields, private: bool) -> Result<Self> {
        let is_form = fields.is_form();
        fields.set_creating(true);
        let name = fields.text("name").required().max(100).value();
        let format = fields.text("format").required().one_of(&FORMATS.map(|(format, _)| format)).value();
        let address = |text: &String| send::check(text, private).map(|_| ());
        let url = fields.text("url").required().max(2_000).check(address).value();
        let known: Vec<&str> = notice::kinds().iter().map(|kind| kind.name).collect();
        let all_known = move |chosen: &Vec<String>| match chosen.iter().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(format!("has {name:?}; it must be some of {}", known.join(", "))),
            None if chosen.is_empty() && !is_form => Err("must name at least one; leave it out for all".to_owned()),
            None => Ok(()),
        };
        let kinds = fields.text_list("kinds").check(all_known).value().filter(|kinds| !kinds.is_empty());
        fields.finish()?;
        Ok(Self { name: name.unwrap_or_default(), format: format.unwrap_or_default(), url: url.unwrap_or_default(), kinds })
    }
}

/// Adds a channel.
pub async fn add(db: &Db, config: &Config, actor: &Actor, wanted: Wanted) -> Result<Channel> {
    let sealed = Encryption::create(config)?.seal(PURPOSE, &wanted.url)?;
    let work =
        move |w: &mut crate::db::Write<'_>| store::add_channel(w, &wanted.name, &wanted.format, wanted.kinds.as_deref(), &sealed);
    db.write(&Scope::All, actor, work).await
}

/// Tells a channel what is due there; none when it is no more. Chats are read by many: they get no detail.
pub async fn tell(db: &Db, config: &Config, id: i64, group: &[Delivery]) -> Result<Option<Result<(), Fault>>> {
    let channel = match db.read(&Scope::All, move |c| store::get_channel(c, id)).await {
        Ok(channel) => channel,
        Err(Error::NotFound { .. }) => return Ok(None),
        Err(other) => return Err(other),
    };
    for one in group {
        let event = if one.is_end { "resolved" } else { "opened" };
        let told = Message { kind: &one.notice.kind, event, title: &headline(one), url: link(config, &one.notice.path) };
        if let Err(fault) = post(config, &channel, &told).await {
            return Ok(Some(Err(fault)));
        }
    }
    Ok(Some(Ok(())))
}

/// Sends a message that tells nothing.
pub async fn test(db: &Db, config: &Config, id: i64) -> Result<Result<(), Fault>> {
    let channel = db.read(&Scope::All, move |c| store::get_channel(c, id)).await?;
    let told = Message { kind: "test", event: "test", title: "Test message from Codex", url: link(config, "/") };
    Ok(post(config, &channel, &told).await)
}

struct Message<'t> {
    kind: &'t str,
    event: &'t str,
    title: &'t str,
    url: Option<String>,
}

async fn post(config: &Config, channel: &Channel, told: &Message<'_>) -> Result<(), Fault> {
    let lost = |message: String| Fault { message, is_permanent: false };
    let key = Encryption::open(config).map_err(|error| lost(error.to_string()))?;
    let url = key.open_sealed(PURPOSE, &channel.url);
    let url = url.ok_or_else(|| lost("The key of the stored credentials has changed: add the channel again".to_owned()))?;
    let sent = send::post(url.expose(), &[], body(&channel.format, told).to_string(), config.private_webhooks).await;
    sent.map(|_| ()).map_err(|fault| lost(fault.message))
}

/// A title as text in a card of Teams, where Markdown would make links and emphasis of what others have named.
fn plain(title: &str) -> String {
    let mut text = String::with_capacity(title.len());
    for letter in title.chars() {
        match letter {
            letter if letter.is_control() => text.push(' '),
            '\\' | '*' | '_' | '[' | ']' | '(' | ')' | '`' | '~' | '#' | '<' | '>' | '!' | '|' => text.extend(['\\', letter]),
            _ => text.push(letter),
        }
    }
    text
}

fn body(format: &str, told: &Message<'_>) -> Value {
    match format {
        "teams" => {
            let mut card = json!({
                "type": "AdaptiveCard", "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "version": "1.4",
                "body": [{ "type": "TextBlock", "text": plain(told.title), "wrap": true, "weight": "Bolder" }],
            });
            if let Some(url) = &told.url {
                card["actions"] = json!([{ "type": "Action.OpenUrl", "title": "Open in Codex", "url": url }]);
            }
            let attachment = json!({ "contentType": "application/vnd.microsoft.card.adaptive", "content": card });
            json!({ "type": "message", "attachments": [attachment] })
        }
        "slack" => {
            let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let link = told.url.as_ref().map(|url| format!("\n<{url}|Open in Codex>")).unwrap_or_default();
            json!({ "text": format!("{}{link}", escape(told.title)) })
        }
        _ => json!({ "kind": told.kind, "event": told.event, "title": told.title, "url": told.url, "at": now() }),
    }
}
