use super::*;

fn peer(from: &str, headers: &[(&str, &str)]) -> Peer {
    let mut request = Request::builder().uri("/").body(()).unwrap();
    for (name, value) in headers {
        request.headers_mut().append(name.parse::<header::HeaderName>().unwrap(), value.parse().unwrap());
    }
    let address: SocketAddr = from.parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(address));
    Peer::of(&request, &["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()])
}

const FORWARDED: &[(&str, &str)] = &[
    ("x-forwarded-for", "203.0.113.9, 127.0.0.1"),
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "hub.example"),
    ("x-forwarded-prefix", "/codex"),
];

#[test]
fn a_stranger_cannot_forward_for_anybody() {
    let peer = peer("198.51.100.1:9", FORWARDED);
    assert_eq!(peer, Peer { ip: "198.51.100.1".parse().unwrap(), secure: false, host: None, forwarded_prefix: String::new() });
}

#[test]
fn a_trusted_proxy_tells_who_asks_and_how() {
    let peer = peer("127.0.0.1:9", FORWARDED);
    assert_eq!(peer.ip.to_string(), "203.0.113.9");
    assert!(peer.secure);
    assert_eq!(peer.host.as_deref(), Some("hub.example"));
    assert_eq!(peer.forwarded_prefix, "/codex");
}

#[test]
fn hops_that_the_caller_invented_do_not_count() {
    let peer = peer("127.0.0.1:9", &[("x-forwarded-for", "10.1.1.1, 203.0.113.9")]);
    assert_eq!(peer.ip.to_string(), "203.0.113.9");
}

#[test]
fn an_ipv4_address_in_ipv6_clothes_is_the_same_address() {
    assert_eq!(peer("[::ffff:127.0.0.1]:9", FORWARDED).ip.to_string(), "203.0.113.9");
}
