//! The small concerns, one struct each.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use ipnet::IpNet;

use super::{Secret, read::Reader};

/// Where and how we listen and log.
#[derive(Clone, Debug)]
pub struct Server {
    /// Address and port to listen on.
    pub bind: SocketAddr,
    /// The address people use, without a trailing slash, when a proxy stands in front.
    pub public_url: Option<String>,
    /// Networks whose forwarded headers count.
    pub trusted_proxies: Vec<IpNet>,
    /// A tracing filter.
    pub log_level: String,
    /// Whether each line of the log is JSON.
    pub log_json: bool,
    /// The certificate with which we encrypt connections ourselves, and its key.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// What whoever reads `/metrics` from elsewhere must show.
    pub metrics_token: Option<Secret>,
    /// Development: assets from disk, debug log, no caches.
    pub dev: bool,
}

impl Server {
    pub(super) fn read(read: &mut Reader<'_>, instance: &Path) -> Self {
        let dev = read.parsed(("server", "dev"), false, |text| match text.to_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(true),
            "" | "false" | "no" | "off" | "0" => Ok(false),
            _ => Err("must be true or false".to_owned()),
        });
        let level = read.parsed(("server", "log_level"), "info".to_owned(), log_level);
        let log_json = read.parsed(("server", "log_format"), false, |text| match text {
            "" | "text" => Ok(false),
            "json" => Ok(true),
            _ => Err("must be text or json".to_owned()),
        });
        let tls = match (read.optional("server", "tls_cert"), read.optional("server", "tls_key")) {
            (Some(certificate), Some(key)) => Some((instance.join(certificate), instance.join(key))),
            (None, None) => None,
            (Some(_), None) => {
                read.wrong("server", "tls_key", "must name the key of the certificate in server.tls_cert");
                None
            }
            (None, Some(_)) => {
                read.wrong("server", "tls_cert", "must name the certificate of the key in server.tls_key");
                None
            }
        };
        let trusted = read.list("server", "trusted_proxies");
        let trusted = read.parsed(("server", "trusted_proxies"), Vec::new(), |_| networks(&trusted));
        Self {
            bind: read.parsed(("server", "bind"), SocketAddr::from(([127, 0, 0, 1], 5010)), bind),
            public_url: read.address("server", "public_url"),
            trusted_proxies: trusted,
            log_level: if dev && level == "info" { "debug".to_owned() } else { level },
            dev,
            log_json,
            tls,
            metrics_token: read.secret("server", "metrics_token"),
        }
    }
}

/// What callers may take of us, in bytes, time and connections.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of request bodies at once.
    pub bodies: usize,
    /// Bytes of answers at once: kept, being made, waiting to be sent.
    pub answers: usize,
    /// Bytes of answers that are kept until their data changes.
    pub cache: usize,
    /// Bytes of readings of protected records that wait to be stored.
    pub disclosures: usize,
    /// Connections at once.
    pub connections: usize,
    /// Requests of an API key in a minute.
    pub key_requests: u32,
    /// Bytes of a file that is put on a record.
    pub attachment: usize,
    /// How long a body may pause.
    pub body_patience: Duration,
    /// How long the head of a request may take.
    pub head_patience: Duration,
    /// How long an answer may wait for its reader.
    pub send_patience: Duration,
}

impl Limits {
    pub(super) fn read(read: &mut Reader<'_>) -> Self {
        let mut number = |name, usual, least: usize| {
            read.parsed(("limits", name), usual, |text| {
                text.parse().ok().filter(|n| (least..=1 << 30).contains(n)).ok_or(format!("must be a whole number from {least}"))
            })
        };
        Self {
            bodies: number("body_kib", 24_576, 128) * 1024,
            answers: number("answer_kib", 32_768, 1_024) * 1024,
            cache: number("cache_kib", 16_384, 0) * 1024,
            disclosures: number("disclosure_kib", 4_096, 16) * 1024,
            connections: number("connections", 10_240, 1),
            key_requests: u32::try_from(number("key_requests", 1_200, 1)).unwrap_or(u32::MAX),
            attachment: number("attachment_mib", 50, 1) * 1024 * 1024,
            body_patience: Duration::from_secs(number("body_seconds", 10, 1) as u64),
            head_patience: Duration::from_secs(number("head_seconds", 20, 1) as u64),
            send_patience: Duration::from_secs(number("send_seconds", 30, 1) as u64),
        }
    }
}

fn bind(text: &str) -> Result<SocketAddr, String> {
    let text = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    text.parse().map_err(|_| format!("must be ADDRESS:PORT such as 127.0.0.1:5010, not {text:?}"))
}

fn networks(list: &[String]) -> Result<Vec<IpNet>, String> {
    let network = |text: &String| text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    list.iter().map(|text| network(text).map_err(|_| format!("has {text:?}, which is no address or network"))).collect()
}

/// Accepts Python's names of levels beside our own.
fn log_level(text: &str) -> Result<String, String> {
    let level = match text.to_lowercase().as_str() {
        "warning" => "warn".to_owned(),
        "critical" | "fatal" => "error".to_owned(),
        plain @ ("trace" | "debug" | "info" | "warn" | "error" | "off") => plain.to_owned(),
        _ if text.contains('=') => text.to_owned(),
        _ => return Err(format!("must be trace, debug, info, warn or error, not {text:?}")),
    };
    tracing_subscriber::EnvFilter::try_new(&level).map_err(|_| format!("is no filter: {text:?}"))?;
    Ok(level)
}

/// The platform's token issuer.
#[derive(Clone, Debug)]
pub struct Core {
    /// Core's address; none means that we issue tokens ourselves.
    pub url: Option<String>,
    /// Issuers whose tokens are accepted; the first is the one we write into our own.
    pub issuers: Vec<String>,
    /// Whether Core is asked about revoked sessions.
    pub revocation_check: bool,
    /// Our name among the services.
    pub service_name: String,
    /// Helm's address.
    pub helm_url: Option<String>,
    /// The file with the platform's list of services, when one was named.
    pub services: Option<PathBuf>,
}

impl Core {
    pub(super) fn read(read: &mut Reader<'_>) -> Self {
        Self {
            url: read.address("core", "url"),
            issuers: read.list("core", "issuer"),
            revocation_check: read.flag("core", "revocation_check"),
            service_name: read.text("core", "service_name").to_owned(),
            helm_url: read.address("helm", "url"),
            services: read.optional("platform", "services").map(PathBuf::from),
        }
    }
}

/// The retirement guard, which says how many rows of a kind one run may retire without approval, and what
/// follows a run.
#[derive(Clone, Copy, Debug)]
pub struct Sync {
    /// Whether a sync that was started over HTTP writes account numbers to the vendor afterwards.
    pub follow_up: bool,
    /// Always allowed.
    pub retire_minimum: u64,
    /// Share of the source's live rows that is allowed, in percent.
    pub retire_percent: u64,
    /// Whether vendors' addresses that are entered over HTTP may be private, or http.
    pub private_addresses: bool,
}

impl Sync {
    pub(super) fn read(read: &mut Reader<'_>) -> Self {
        let percent =
            |text: &str| text.parse().ok().filter(|n| *n <= 100).ok_or("must be a whole number from 0 to 100".to_owned());
        Self {
            follow_up: read.flag("sync", "follow_up"),
            retire_minimum: read
                .parsed(("sync", "retire_minimum"), 3, |text| text.parse().map_err(|_| "must be a whole number".to_owned())),
            retire_percent: read.parsed(("sync", "retire_percent"), 5, percent),
            private_addresses: read.flag("sync", "private_addresses"),
        }
    }
}

/// Who sees protected companies' data.
#[derive(Clone, Debug)]
pub struct Compliance {
    /// Names of cleared services, in lower case.
    pub cleared_services: Vec<String>,
}

impl Compliance {
    pub(super) fn read(read: &mut Reader<'_>) -> Self {
        Self { cleared_services: read.list("compliance", "cleared_services").iter().map(|s| s.to_lowercase()).collect() }
    }
}

/// What neighbours are given beyond, or exactly as, the reference.
#[derive(Clone, Copy, Debug)]
pub struct Compat {
    /// Give Ledger the fields that switch on billing by asset type.
    pub ledger_asset_billing: bool,
    /// List inactive contacts where neighbours expect them.
    pub include_inactive_contacts: bool,
}

impl Compat {
    pub(super) fn read(read: &mut Reader<'_>) -> Self {
        Self {
            ledger_asset_billing: read.flag("compat", "ledger_asset_billing"),
            include_inactive_contacts: read.flag("compat", "include_inactive_contacts"),
        }
    }
}

/// How pages show money and time.
#[derive(Clone, Debug)]
pub struct Display {
    /// ISO 4217 code.
    pub currency: String,
    /// The zone in which pages show times.
    pub time_zone: jiff::tz::TimeZone,
}

impl Display {
    pub(super) fn read(read: &mut Reader<'_>) -> Self {
        let code = |text: &str| match text.to_uppercase() {
            code if code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()) => Ok(code),
            _ => Err(format!("must be a three-letter code such as USD, not {text:?}")),
        };
        let zone = |text: &str| jiff::tz::TimeZone::get(text).map_err(|_| format!("is no time zone: {text:?}"));
        Self {
            currency: read.parsed(("display", "currency"), "USD".to_owned(), code),
            time_zone: read.parsed(("display", "time_zone"), jiff::tz::TimeZone::UTC, zone),
        }
    }
}

/// Calls from vendors.
#[derive(Clone, Debug)]
pub struct Webhooks {
    /// Whether they are taken.
    pub enabled: bool,
    /// What a call must prove to know.
    pub secret: Option<Secret>,
    /// Where they may come from; empty means anywhere.
    pub allowed_ips: Vec<IpNet>,
    /// Whether each call's fields are logged.
    pub log_payloads: bool,
}

impl Webhooks {
    pub(super) fn read(read: &mut Reader<'_>) -> Self {
        let allowed = read.list("webhooks", "allowed_ips");
        Self {
            enabled: read.flag("webhooks", "enabled"),
            secret: read.secret("webhooks", "secret"),
            allowed_ips: read.parsed(("webhooks", "allowed_ips"), Vec::new(), |_| networks(&allowed)),
            log_payloads: read.flag("webhooks", "log_payloads"),
        }
    }
}

/// After how many days out of sight an asset is quiet, stale and archived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LifeDays {
    /// Quiet from here on.
    pub quiet: i64,
    /// Stale from here on.
    pub stale: i64,
    /// Archived from here on.
    pub archived: i64,
}

/// Rules for assets.
#[derive(Clone, Copy, Debug)]
pub struct Assets {
    /// The stages of life, for companies that have no days of their own.
    pub life: LifeDays,
    /// The vendor that is believed where two tell different things: `datto` or `freshservice`.
    pub prefer: &'static str,
    /// Whether archived assets leave the lists that neighbours bill from.
    pub archived_leave_billing: bool,
}

impl Assets {
    pub(super) fn read(read: &mut Reader<'_>) -> Self {
        let days = |text: &str| match text.parse() {
            Ok(days @ 1..=3650) => Ok(days),
            _ => Err("must be a whole number of days from 1 to 3650".to_owned()),
        };
        let life = LifeDays {
            quiet: read.parsed(("assets", "life_quiet_days"), 14, days),
            stale: read.parsed(("assets", "life_stale_days"), 30, days),
            archived: read.parsed(("assets", "life_archived_days"), 90, days),
        };
        if life.quiet >= life.stale {
            read.wrong("assets", "life_stale_days", "must be more than life_quiet_days");
        }
        if life.stale >= life.archived {
            read.wrong("assets", "life_archived_days", "must be more than life_stale_days");
        }
        let prefer = read.parsed(("assets", "prefer"), "datto", |text| match text.trim().to_lowercase().as_str() {
            "datto" | "rmm" => Ok("datto"),
            "freshservice" | "psa" => Ok("freshservice"),
            _ => Err("must be datto or freshservice".to_owned()),
        });
        Self { life, prefer, archived_leave_billing: read.flag("assets", "archived_leave_billing") }
    }
}
