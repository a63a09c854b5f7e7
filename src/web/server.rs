//! Takes connections and speaks HTTP on them, with limits on how long a caller may keep us waiting.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Bytes, HttpBody},
    extract::{ConnectInfo, Request},
    response::Response,
};
use hyper::{
    body::{Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    time::timeout,
};
use tower::ServiceExt as _;

use super::link::{Busy, Links, Patience, Place, Stream};

/// How long a connection may be silent before a request.
const SILENCE: Duration = Duration::from_secs(75);
/// How long a connection that makes room for another may take to end.
const LEAVING: Duration = Duration::from_secs(1);
/// What a connection buffers, each way; a request's head must fit.
const BUFFER: usize = 32 * 1024;
/// Connections that may wait to be taken.
const BACKLOG: u32 = 4096;
/// Pause after a connection could not be taken, mostly because too many are open.
const PAUSE: Duration = Duration::from_millis(50);
/// Files that the database and the log need beside connections.
const OTHER_FILES: u64 = 128;

/// What callers may take of us.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long they may keep us waiting.
    pub patience: Patience,
    /// How many connections there are at once.
    pub connections: usize,
}

/// Listens on an address; one that was in use a moment ago is no obstacle.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `stop` is done, then lets requests in progress finish within `patience`.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: impl Future<Output = ()>, patience: Duration) {
    let files = raise_limit();
    let most = limits.connections.min(usize::try_from(files.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX)).max(1);
    let links = Arc::new(Links::default());
    let (ending, _) = watch::channel(());
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            taken = listener.accept() => match taken {
                Ok((stream, peer)) => match links.take(most) {
                    Some(place) => {
                        let patience = limits.patience.clone();
                        tokio::spawn(connection(stream, peer, router.clone(), Arc::new(place), patience, ending.subscribe()));
                    }
                    None => refuse(&stream),
                },
                Err(error) => {
                    tracing::debug!(%error, "a connection could not be taken");
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
    // Whoever comes now is told at once that nobody listens.
    drop(listener);
    let _nobody_left = ending.send(());
    if timeout(patience, ending.closed()).await.is_err() {
        tracing::warn!("some answers took too long and were cut off");
    }
}

/// Everybody is busy: one line says so.
fn refuse(stream: &TcpStream) {
    let text = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let _nobody_reads = stream.try_write(text);
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    place: Arc<Place>,
    patience: Patience,
    mut ending: watch::Receiver<()>,
) {
    let _slower_then = stream.set_nodelay(true);
    // A caller that says nothing costs nothing.
    tokio::select! {
        ready = timeout(SILENCE, stream.readable()) => if !matches!(ready, Ok(Ok(()))) { return },
        _ = ending.changed() => return,
        () = place.link().evicted.notified() => return,
    }
    // What HTTP takes is in a box, so that it is there only now.
    Box::pin(speak(stream, peer, router, place, patience, ending)).await;
}

async fn speak(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    place: Arc<Place>,
    patience: Patience,
    mut ending: watch::Receiver<()>,
) {
    let taken = Arc::clone(&place);
    let service = service_fn(move |request: hyper::Request<Incoming>| answer(router.clone(), peer, Arc::clone(&taken), request));
    let mut protocol = http1::Builder::new();
    protocol.timer(TokioTimer::new()).header_read_timeout(SILENCE).max_buf_size(BUFFER);
    let stream = TokioIo::new(Stream::new(stream, Arc::clone(place.link()), patience));
    let mut served = pin!(protocol.serve_connection(stream, service));
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        _ = ending.changed() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
        () = place.link().evicted.notified() => {
            served.as_mut().graceful_shutdown();
            timeout(LEAVING, served).await.unwrap_or(Ok(()))
        }
    };
    if let Err(cause) = ended {
        tracing::trace!(%cause, "a connection ended early");
    }
}

async fn answer(
    router: Router,
    peer: SocketAddr,
    place: Arc<Place>,
    request: hyper::Request<Incoming>,
) -> Result<Response, Infallible> {
    let busy = place.busy();
    let mut request: Request = request.map(axum::body::Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    let response = router.oneshot(request).await?;
    if response.body().is_end_stream() {
        return Ok(response);
    }
    // It is busy until the last byte of the answer is taken over.
    Ok(response.map(|body| axum::body::Body::new(With { body, _busy: busy })))
}

/// A body with what ends when it is sent.
struct With {
    body: axum::body::Body,
    _busy: Busy,
}

impl HttpBody for With {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// As many files as the system lets us have; the usual default is a thousand.
fn raise_limit() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).is_err() {
        tracing::debug!("the limit of open files stays as it is");
        return limit.current.unwrap_or(u64::MAX);
    }
    limit.maximum.unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
