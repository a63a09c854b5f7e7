//! A server that is told to stop finishes what it has begun, but not for ever.

use axum::routing::get;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::oneshot,
};

use super::*;
use crate::web::budget::Budget;

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_millis(300)).await;
    "done"
}

/// The address of a server, what tells it to stop, and its end.
fn running(patience: Duration) -> (SocketAddr, oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let second = Duration::from_secs(1);
    let patience_of = Patience { head: second, send: second, waiting: Budget::new(1) };
    let limits = Limits { patience: patience_of, connections: 4 };
    let router = Router::new()
        .route("/", get(slow))
        .route("/peer", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }));
    (address, stop, tokio::spawn(serve(listener, Service { router, limits, tls: None }, async { drop(stopped.await) }, patience)))
}

async fn ask(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    stream
}

async fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    let _cut = stream.read_to_string(&mut text).await;
    text
}

#[tokio::test]
async fn what_was_begun_is_finished() {
    let (address, stop, end) = running(Duration::from_secs(5));
    let (busy, idle) = (ask(address, "/").await, TcpStream::connect(address).await.unwrap());
    tokio::time::sleep(Duration::from_millis(100)).await;
    stop.send(()).unwrap();
    assert!(rest(busy).await.ends_with("done"));
    tokio::time::timeout(Duration::from_secs(1), end).await.expect("idle connections hold nobody up").unwrap();
    drop(idle);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn nobody_is_waited_for_too_long() {
    let (address, stop, end) = running(Duration::from_millis(50));
    let busy = ask(address, "/").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_millis(200), end).await.expect("cut off").unwrap();
    drop(busy);
}

#[tokio::test]
async fn handlers_know_who_is_at_the_other_end() {
    let (address, _stop, _end) = running(Duration::from_secs(1));
    let mut stream = ask(address, "/peer").await;
    let mine = stream.local_addr().unwrap().to_string();
    let mut buffer = vec![0; 1024];
    let read = stream.read(&mut buffer).await.unwrap();
    assert!(String::from_utf8_lossy(&buffer[..read]).ends_with(&mine));
}

#[tokio::test]
async fn when_there_are_too_many_the_one_that_waits_longest_makes_room() {
    let (address, _stop, _end) = running(Duration::from_secs(1));
    let mut idle = Vec::new();
    for _ in 0..6 {
        idle.push(ask(address, "/peer").await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(rest(idle.remove(0)).await.starts_with("HTTP/1.1 200"), "it was answered before it was closed");
    assert!(rest(idle.remove(0)).await.starts_with("HTTP/1.1 200"));
    let mut last = idle.pop().unwrap();
    last.write_all(b"GET /peer HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    assert_eq!(rest(last).await.matches("200 OK").count(), 2);
}

#[tokio::test]
async fn a_head_that_does_not_come_to_its_end_is_dropped() {
    let (address, _stop, _end) = running(Duration::from_secs(1));
    let mut stream = TcpStream::connect(address).await.unwrap();
    for _ in 0..8 {
        let _closed = stream.write_all(b"GET / HT").await;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(tokio::time::timeout(Duration::from_secs(1), rest(stream)).await.unwrap(), "");
}
