//! Addresses of networks in their one written form, and as keys that sort and compare as the addresses do.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Kind;

/// What was typed for a field of such a kind, in its usual form.
///
/// # Errors
/// What it should be, as a sentence fragment.
pub fn written(kind: Kind, text: &str) -> Result<String, String> {
    match kind {
        Kind::Ip => ip(text).map(|address| address.to_string()),
        Kind::Cidr => cidr(text).map(|network| network.to_string()),
        Kind::Mac => mac(text),
        _ => Ok(text.to_owned()),
    }
}

fn ip(text: &str) -> Result<IpAddr, String> {
    let address: std::result::Result<IpAddr, _> = text.trim().parse();
    address.map(|address| address.to_canonical()).map_err(|_| "must be an IP address, such as 10.20.0.1".to_owned())
}

fn cidr(text: &str) -> Result<IpNet, String> {
    const WHY: &str = "must be a network, such as 10.20.0.0/24";
    let network: IpNet = text.trim().parse().map_err(|_| WHY.to_owned())?;
    let bare = network.trunc();
    if network == bare { Ok(bare) } else { Err(format!("has bits beyond its prefix; the network is {bare}")) }
}

fn mac(text: &str) -> Result<String, String> {
    let digits: String = text.chars().filter(|letter| !matches!(letter, ':' | '-' | '.' | ' ')).collect();
    if digits.len() != 12 || !digits.chars().all(|letter| letter.is_ascii_hexdigit()) {
        return Err("must be a MAC address, such as 00:1a:2b:3c:4d:5e".to_owned());
    }
    let digits = digits.to_ascii_lowercase();
    let pairs: Vec<&str> = (0..6).filter_map(|at| digits.get(at * 2..at * 2 + 2)).collect();
    Ok(pairs.join(":"))
}

/// An address as text that sorts as addresses do: first the version, then the address in hexadecimal digits.
fn key_of(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("4{:08x}", u32::from(address)),
        IpAddr::V6(address) => format!("6{:032x}", u128::from(address)),
    }
}

/// The key of an address; none for what is none.
#[must_use]
pub fn key(text: &str) -> Option<String> {
    ip(text).ok().map(key_of)
}

/// The keys of a network's first and last address; none for what is none.
#[must_use]
pub fn keys(text: &str) -> Option<(String, String)> {
    cidr(text).ok().map(|network| (key_of(network.network()), key_of(network.broadcast())))
}
