//! Takes connections and speaks HTTP on them, with limits on how long a caller may keep us waiting.

use std::{
    convert::Infallible,
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::Pin,
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

use super::{
    head::{self, Head, LONGEST},
    link::{Busy, Links, Patience, Place, Stream, UNSENT},
};

/// How long a connection that makes room for another may take to end.
const LEAVING: Duration = Duration::from_secs(1);
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
    // Those that are taken from it have the same.
    socket.set_send_buffer_size(u32::try_from(UNSENT).unwrap_or(u32::MAX))?;
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
                        tokio::spawn(connection(stream, peer, router.clone(), Arc::new(place), patience, most, ending.subscribe()));
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

/// Serves a connection. What HTTP takes is there only while a request is under way, as soon as connections are many:
/// one that is silent, or sends half a head, or has its answer, costs next to nothing.
async fn connection(
    mut socket: TcpStream,
    peer: SocketAddr,
    router: Router,
    place: Arc<Place>,
    patience: Patience,
    most: usize,
    mut ending: watch::Receiver<()>,
) {
    let _slower_then = socket.set_nodelay(true);
    let mut front = Vec::new();
    loop {
        let Some(head) = head::read(&socket, front, &place, &patience, most, &mut ending).await else { return };
        let turn = tokio::select! {
            turn = timeout(patience.head, Arc::clone(&place.links().turns).acquire_owned()) => turn,
            () = place.link().evicted.notified() => return refuse(&socket),
        };
        let Ok(Ok(_turn)) = turn else { return refuse(&socket) };
        // In a box, so that it is there only now.
        let Some(left) = Box::pin(speak(socket, peer, &router, head, &place, &patience, &mut ending)).await else { return };
        (socket, front) = left;
    }
}

/// Answers requests until the connection ends, or rests while there are many; then it is given back, with what was read
/// of it already.
async fn speak(
    socket: TcpStream,
    peer: SocketAddr,
    router: &Router,
    head: Head,
    place: &Arc<Place>,
    patience: &Patience,
    ending: &mut watch::Receiver<()>,
) -> Option<(TcpStream, Vec<u8>)> {
    let (router, taken) = (router.clone(), Arc::clone(place));
    let service = service_fn(move |request: hyper::Request<Incoming>| answer(router.clone(), peer, Arc::clone(&taken), request));
    let mut protocol = http1::Builder::new();
    // Whoever has said all it will say still gets its answer.
    protocol.timer(TokioTimer::new()).header_read_timeout(head::SILENCE).max_buf_size(LONGEST).half_close(true);
    let stream = TokioIo::new(Stream::new(socket, head.bytes, Arc::clone(place), patience.clone()));
    let mut served = protocol.serve_connection(stream, service);
    let rests = poll_fn(|cx| {
        let link = place.link();
        // Only what rested before HTTP looked, and rests still, is not in the middle of something.
        let rested = link.is_at_rest();
        if let Poll::Ready(ended) = Pin::new(&mut served).poll(cx) {
            return Poll::Ready(Some(ended));
        }
        if !link.is_at_rest() || !place.links().are_many() {
            return Poll::Pending;
        }
        if rested {
            return Poll::Ready(None);
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    });
    let ended = tokio::select! {
        ended = rests => ended,
        _ = ending.changed() => {
            Pin::new(&mut served).graceful_shutdown();
            Some(Pin::new(&mut served).await)
        }
        () = place.link().evicted.notified() => {
            Pin::new(&mut served).graceful_shutdown();
            Some(timeout(LEAVING, Pin::new(&mut served)).await.unwrap_or(Ok(())))
        }
    };
    match ended {
        None => {
            let parts = served.into_parts();
            Some((parts.io.into_inner().into_socket(), parts.read_buf.to_vec()))
        }
        Some(Ok(())) => None,
        Some(Err(cause)) => {
            tracing::trace!(%cause, "a connection ended early");
            None
        }
    }
}

async fn answer(
    router: Router,
    peer: SocketAddr,
    place: Arc<Place>,
    request: hyper::Request<Incoming>,
) -> Result<Response, Infallible> {
    let busy = Arc::new(place.busy());
    let mut request: Request = request.map(|body| {
        if body.is_end_stream() {
            return axum::body::Body::empty();
        }
        let whole = Whole { body, place, ended: false };
        axum::body::Body::new(With { body: axum::body::Body::new(whole), _busy: Arc::clone(&busy) })
    });
    request.extensions_mut().insert(ConnectInfo(peer));
    let response = router.oneshot(request).await?;
    if response.body().is_end_stream() {
        return Ok(response);
    }
    // It is busy until the last byte of the answer is taken over.
    Ok(response.map(|body| axum::body::Body::new(With { body, _busy: busy })))
}

/// A request's body that tells when it was left in the middle.
struct Whole {
    body: Incoming,
    place: Arc<Place>,
    ended: bool,
}

impl HttpBody for Whole {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        self.ended |= matches!(frame, Poll::Ready(None));
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        if !self.ended && !self.body.is_end_stream() {
            self.place.link().broke();
        }
    }
}

/// A body with what ends when it is sent.
struct With {
    body: axum::body::Body,
    _busy: Arc<Busy>,
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
