//! Where credentials may be sent when the vendor's address was entered over HTTP and does not stand in a file
//! of the operator's: to public places over https. It is checked when the address is entered, and again for
//! every connection, because a name may lead elsewhere tomorrow.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::LazyLock,
    time::Duration,
};

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// How long a name may take to be resolved while somebody waits for the form.
const PATIENCE: Duration = Duration::from_secs(3);

/// Networks that are not everybody's (IANA's special-purpose registries, 2026, and multicast).
const SPECIAL: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "3fff::/20",
    "5f00::/16",
];

static NETWORKS: LazyLock<Vec<IpNet>> = LazyLock::new(|| SPECIAL.iter().filter_map(|text| text.parse().ok()).collect());

/// What is public among IPv6 addresses.
const GLOBAL: (u16, u16) = (0x2000, 0xe000);

/// Names that lead into the own network.
const INSIDE: &[&str] = &["localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp", "private", "arpa"];

/// Whether everybody in the world reaches the same machine there.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    let special = |ip: IpAddr| NETWORKS.iter().any(|network| network.contains(&ip));
    match ip {
        IpAddr::V4(_) => !special(ip),
        IpAddr::V6(six) => match within(six) {
            Some(four) => is_public(four.into()),
            None => six.segments()[0] & GLOBAL.1 == GLOBAL.0 && !special(ip),
        },
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, 6to4, NAT64.
fn within(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let parts = ip.segments();
    let four = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match parts {
        [0, 0, 0, 0, 0, 0xffff | 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            Some(four(high, low))
        }
        [0x64, 0xff9b, 1, .., high, low] => Some(four(high, low)),
        _ => None,
    }
}

/// Whether an address may be entered: https, nothing but a public host.
///
/// # Errors
/// What is wrong, in words that fit behind the field's name.
pub fn check(address: &str) -> Result<(), String> {
    let url = Url::parse(address).map_err(|_| "must be an address such as https://host.example".to_owned())?;
    if url.scheme() != "https" {
        return Err("must begin with https://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() || address.contains(['@', '\\']) {
        return Err("must not hold a user name or password".to_owned());
    }
    if url.port().is_some() {
        return Err("must not name a port".to_owned());
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err("must be a host and nothing more".to_owned());
    }
    if is_public_host(&url) {
        return Ok(());
    }
    Err("must be a public address; for a test system the operator sets private_addresses in section [sync] of codex.conf"
        .to_owned())
}

/// Whether an address names a public host, as far as can be seen without asking for its name.
#[must_use]
pub fn is_public_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => is_public(ip.into()),
        Some(Host::Ipv6(ip)) => is_public(ip.into()),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            let last = name.rsplit_once('.').map(|(_, last)| last);
            last.is_some_and(|last| !INSIDE.contains(&last))
        }
        None => false,
    }
}

/// The same, and whether its name leads to a public host now. A name that cannot be resolved is let pass:
/// nothing can be sent there, and each connection asks again.
///
/// # Errors
/// As [`check`].
pub async fn check_now(address: &str) -> Result<(), String> {
    check(address)?;
    let Some(host) = Url::parse(address).ok().and_then(|url| url.host_str().map(str::to_owned)) else { return Ok(()) };
    // A literal address was looked at already, and in brackets it is no name.
    let found = tokio::time::timeout(PATIENCE, tokio::net::lookup_host((host.as_str(), 443))).await;
    let inside = found.is_ok_and(|found| found.is_ok_and(|mut found| found.any(|at| !is_public(at.ip()))));
    if inside { Err("must be a public address; this name leads into a private network".to_owned()) } else { Ok(()) }
}

/// Resolves names as the system does, but of this host only to public addresses. Another name is a proxy's,
/// which the operator has chosen: nothing else is asked, since redirects are not followed.
pub struct PublicOnly {
    host: String,
}

impl PublicOnly {
    /// For the host of this address.
    #[must_use]
    pub fn of(address: &str) -> Self {
        let host = Url::parse(address).ok().and_then(|url| url.host_str().map(str::to_lowercase));
        Self { host: host.unwrap_or_default() }
    }
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let guarded = name.as_str().eq_ignore_ascii_case(&self.host);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if guarded && found.iter().any(|at| !is_public(at.ip())) {
                return Err("the name leads into a private network".into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_https_hosts_are_let_pass() {
        assert_eq!(NETWORKS.len(), SPECIAL.len(), "every network is understood");
        for good in [
            "https://acme.freshservice.com",
            "https://concord-api.centrastage.net/",
            "https://8.8.8.8",
            "https://[2606:4700::1111]",
            "https://acme.freshservice.com:443",
            "https://[2002:808:808::1]",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "http://acme.freshservice.com",
            "ftp://acme.freshservice.com",
            "https://acme.freshservice.com:8443",
            "https://acme.freshservice.com@evil.example",
            "https://user:pw@acme.freshservice.com",
            "https://@acme.freshservice.com",
            "https://evil.example\\@acme.freshservice.com",
            "https://acme.freshservice.com/x",
            "https://acme.freshservice.com?x=",
            "https://acme.freshservice.com#x",
            "https://localhost",
            "https://localhost.",
            "https://LOCALHOST",
            "https://a.localhost",
            "https://metadata.google.internal",
            "https://printer.local",
            "https://intranet",
            "https://127.0.0.1",
            "https://127.1",
            "https://2130706433",
            "https://0x7f000001",
            "https://0177.0.0.1",
            "https://0.0.0.0",
            "https://10.1.2.3",
            "https://172.31.0.1",
            "https://192.168.1.1",
            "https://100.100.100.200",
            "https://169.254.169.254",
            "https://255.255.255.255",
            "https://[::1]",
            "https://[::]",
            "https://[::ffff:127.0.0.1]",
            "https://[::ffff:10.0.0.1]",
            "https://[::127.0.0.1]",
            "https://[64:ff9b::a9fe:a9fe]",
            "https://[64:ff9b:1::7f00:1]",
            "https://[2002:7f00:1::]",
            "https://[fe80::1]",
            "https://[fc00::1]",
            "https://[fd00:ec2::254]",
            "https://[ff02::1]",
            "https://[2001:db8::1]",
            "https://[fec0::1]",
            "https://1.0.0.127.in-addr.arpa",
            "https://\u{ff11}\u{ff12}\u{ff17}.0.0.1",
            "",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused_for_each_connection() {
        let ask = |guarded: &str| PublicOnly::of(&format!("https://{guarded}")).resolve("localhost".parse().unwrap());
        assert!(ask("localhost").await.is_err());
        assert!(ask("vendor.example").await.is_ok(), "the operator's proxy");
        assert!(check_now("https://8.8.8.8").await.is_ok());
    }
}
