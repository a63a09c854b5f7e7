//! Waits for requests: the head of one is read here, so that a connection takes little more than its bytes before there
//! is something to answer.

use std::{io, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout_at},
};

use super::{
    budget::Share,
    link::{Patience, Place, STRICTER},
    wire::Wire,
};

/// How long a connection may be silent before a request; a sixth of it when connections are many.
pub const SILENCE: Duration = Duration::from_secs(75);
/// The longest head of a request: Nexus sends all cookies of a browser, 8 KiB of them at most, beside the token of
/// whoever is in very many groups.
pub const LONGEST: usize = 24 * 1024;
/// What is read at first.
const FIRST: usize = 1024;
/// How often it is tried to make room for one head's bytes, and the pause after each time.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(20);

/// A request's head, with what followed it at once.
pub struct Head {
    /// What was read.
    pub bytes: Vec<u8>,
    _share: Share,
}

/// Reads a head to its end, or as much as is too long for one. Nothing when the caller ends, takes too long, or has to
/// make room for others.
pub async fn read(
    socket: &mut Wire,
    front: Vec<u8>,
    place: &Place,
    patience: &Patience,
    most: usize,
    ending: &mut watch::Receiver<()>,
) -> Option<Head> {
    let (mut bytes, mut share, mut seen) = (front, place.links().heads.share(), 0);
    let mut until = None;
    room(place, &mut share, bytes.len()).await?;
    loop {
        if !bytes.is_empty() && until.is_none() {
            place.begins();
            until = Some(Instant::now() + patience.head);
        }
        if has_end(&bytes, seen) || bytes.len() >= LONGEST {
            return Some(Head { bytes, _share: share });
        }
        seen = bytes.len();
        let ready = async {
            match until {
                Some(until) => timeout_at(until, socket.readable()).await.is_ok_and(|ready| ready),
                None => spoken(socket, place, most).await,
            }
        };
        tokio::select! {
            is_ready = ready => if !is_ready { return None },
            _ = ending.changed() => return None,
            () = place.link().evicted.notified() => return None,
        }
        if bytes.len() == bytes.capacity() {
            let more = bytes.len().max(FIRST).min(LONGEST - bytes.len());
            room(place, &mut share, more).await?;
            bytes.reserve_exact(more);
        }
        match socket.try_read(&mut bytes) {
            Ok(0) => return None,
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return None,
            Ok(_) | Err(_) => {}
        }
    }
}

/// Waits for the first byte; false when it takes too long. A caller that says nothing costs nothing.
async fn spoken(socket: &mut Wire, place: &Place, most: usize) -> bool {
    let start = Instant::now();
    loop {
        let step = Instant::now() + SILENCE / STRICTER;
        match timeout_at(step, socket.readable()).await {
            Ok(ready) => return ready,
            Err(_) if place.links().are_nearly(most) || start.elapsed() >= SILENCE => return false,
            Err(_) => {}
        }
    }
}

/// Makes room for so many bytes more, at the cost of the head that has been on its way for longest.
async fn room(place: &Place, share: &mut Share, bytes: usize) -> Option<()> {
    for _ in 0..TRIES {
        if share.grow(bytes) {
            return Some(());
        }
        place.links().make_room();
        tokio::select! {
            () = sleep(PAUSE) => {}
            () = place.link().evicted.notified() => return None,
        }
    }
    None
}

/// Whether there is an empty line, of which the end was not `seen` before; those in front of a request do not count.
fn has_end(bytes: &[u8], seen: usize) -> bool {
    let front = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let new = bytes.get(front.max(seen.saturating_sub(3))..).unwrap_or_default();
    new.windows(2).any(|two| two == b"\n\n") || new.windows(3).any(|three| three == b"\n\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_with_an_empty_line_wherever_it_is_cut() {
        let head = b"\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n";
        for cut in 0..head.len() {
            assert!(!has_end(&head[..cut], cut / 2), "{cut}");
            assert!(has_end(head, cut), "{cut}");
        }
        assert!(has_end(b"GET / HTTP/1.1\nhost: x\n\nbody", 0) && !has_end(b"", 0));
    }
}
