//! What systemd wants to hear of a service, and the socket that it may have opened for it. Without systemd none of it does
//! anything. See `sd_notify(3)`, `sd_watchdog_enabled(3)` and `sd_listen_fds(3)`.

use std::{
    env, io,
    os::{
        linux::net::SocketAddrExt as _,
        unix::{
            ffi::OsStrExt as _,
            net::{SocketAddr, UnixDatagram},
        },
    },
    time::Duration,
};

use listenfd::ListenFd;
use tokio::net::TcpListener;

use super::Failure;
use crate::web::server;

/// We answer from now on.
pub fn ready() {
    tell("READY=1");
}

/// We are ending, on purpose.
pub fn stopping() {
    tell("STOPPING=1");
}

/// Says again and again that we are alive, as often as systemd asks: a program that does nothing any more is started anew.
pub async fn keep_alive() {
    let Some(pause) = pause(env::var("WATCHDOG_USEC").ok(), env::var("WATCHDOG_PID").ok()) else { return };
    let mut tick = tokio::time::interval(pause);
    loop {
        tick.tick().await;
        tell("WATCHDOG=1");
    }
}

/// Half of the time after which systemd loses patience with us; nothing when it does not watch this process.
fn pause(micros: Option<String>, process: Option<String>) -> Option<Duration> {
    let is_ours = process.is_none_or(|id| id.parse() == Ok(std::process::id()));
    let micros: u64 = micros?.parse().ok()?;
    (is_ours && micros > 1).then(|| Duration::from_micros(micros / 2))
}

/// The socket that systemd has opened for us, if it has.
///
/// # Errors
/// When what was handed over is no TCP socket that listens.
pub fn socket() -> Result<Option<TcpListener>, Failure> {
    let handed_over = ListenFd::from_env().take_tcp_listener(0);
    let adopted = handed_over.and_then(|found| found.map(server::adopt).transpose());
    adopted.map_err(|error| Failure::usage(format!("the socket that systemd hands over (LISTEN_FDS) cannot be used: {error}")))
}

fn tell(state: &str) {
    let Some(place) = env::var_os("NOTIFY_SOCKET") else { return };
    let address = match place.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&place),
    };
    let sent: io::Result<usize> = address.and_then(|address| UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address));
    if let Err(error) = sent {
        tracing::debug!(%error, state, "systemd could not be told");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_process_that_is_watched_says_that_it_lives() {
        let text = |text: &str| Some(text.to_owned());
        let ours = std::process::id().to_string();
        assert_eq!(pause(text("4000000"), None), Some(Duration::from_secs(2)));
        assert_eq!(pause(text("4000000"), Some(ours)), Some(Duration::from_secs(2)));
        assert_eq!(pause(text("4000000"), text("1")), None);
        assert_eq!(pause(None, None), None);
        assert_eq!(pause(text("soon"), None), None);
    }
}
