//! Who is at the other end of the connection, seen through the proxies that we trust.

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, Request, header, request::Parts},
};
use ipnet::IpNet;
use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

/// Stands in the extensions of a request whose connection we encrypt ourselves.
#[derive(Clone, Copy, Debug)]
pub struct Encrypted;

/// The caller's address, and how the browser reached us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The address of the caller itself: the nearest hop that is no trusted proxy.
    pub ip: IpAddr,
    /// Whether the browser's connection is encrypted.
    pub secure: bool,
    /// The host (and port) that the browser sees.
    pub host: Option<String>,
    /// The path that a trusted proxy took off before it passed the request on; not yet checked.
    pub forwarded_prefix: String,
}

impl Peer {
    /// Reads the connection and, when its other end is a trusted proxy, the forwarded headers.
    #[must_use]
    pub fn of<B>(request: &Request<B>, trusted: &[IpNet]) -> Self {
        let connected = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let ip = connected.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |info| info.0.ip().to_canonical());
        let headers = request.headers();
        let encrypted = request.extensions().get::<Encrypted>().is_some();
        let host = || text(headers, header::HOST.as_str()).map(str::to_owned);
        if connected.is_none() || !is_trusted(ip, trusted) {
            return Self { ip, secure: encrypted, host: host(), forwarded_prefix: String::new() };
        }
        Self {
            ip: nearest_stranger(headers, ip, trusted),
            secure: first(headers, "x-forwarded-proto").map_or(encrypted, |proto| proto.eq_ignore_ascii_case("https")),
            host: first(headers, "x-forwarded-host").filter(|host| is_host(host)).map(str::to_owned).or_else(host),
            forwarded_prefix: first(headers, "x-forwarded-prefix").unwrap_or_default().to_owned(),
        }
    }
}

impl Peer {
    /// The address under which people reach us, without a slash at the end: the configured one, else as this browser sees it;
    /// empty when it names no host.
    #[must_use]
    pub fn base(&self, prefix: &str, public_url: Option<&str>) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        let seen = || self.host.as_ref().map(|host| format!("{scheme}://{host}{prefix}"));
        public_url.map(str::to_owned).or_else(seen).unwrap_or_default()
    }
}

fn is_trusted(ip: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&ip))
}

/// Walks `X-Forwarded-For` from our side: each hop vouches for the one before it, a stranger for none.
fn nearest_stranger(headers: &HeaderMap, connected: IpAddr, trusted: &[IpNet]) -> IpAddr {
    let hops =
        headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let mut nearest = connected;
    for hop in hops.collect::<Vec<_>>().into_iter().rev() {
        let Ok(ip) = hop.trim().parse::<IpAddr>() else { break };
        nearest = ip.to_canonical();
        if !is_trusted(nearest, trusted) {
            break;
        }
    }
    nearest
}

fn is_host(host: &str) -> bool {
    !host.is_empty() && host.len() <= 255 && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn first<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    text(headers, name)?.split(',').next().map(str::trim)
}

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let known = parts.extensions.get::<Self>().cloned();
        Ok(known.unwrap_or(Self {
            ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            secure: false,
            host: None,
            forwarded_prefix: String::new(),
        }))
    }
}

#[cfg(test)]
#[path = "peer_tests.rs"]
mod tests;
