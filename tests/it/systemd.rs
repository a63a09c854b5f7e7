//! What systemd is told, and the socket that it hands over. A stand-in takes its place: a datagram socket, and a shell.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::time::Duration;

use crate::support::{Api, App, Engine, eventually};

/// What is said within a while, up to and with this.
fn heard(socket: &UnixDatagram, last: &str) -> Vec<String> {
    let mut said = Vec::new();
    let mut buffer = [0; 256];
    while said.last().is_none_or(|line| line != last) {
        let length = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("{error}; heard {said:?}"));
        said.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
    }
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_hears_of_the_start_of_life_and_of_the_end() {
    let mut app = tokio::task::spawn_blocking(|| App::builder(&Engine::Sqlite).prepare()).await.unwrap();
    let place = app.folder().join("notify");
    let socket = UnixDatagram::bind(&place).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    app.set_env("NOTIFY_SOCKET", &place.display().to_string());
    app.set_env("WATCHDOG_USEC", "200000");
    app.start().await;
    let socket = tokio::task::spawn_blocking(move || {
        assert!(heard(&socket, "READY=1").len() == 1, "ready comes first");
        for _ in 0..3 {
            heard(&socket, "WATCHDOG=1");
        }
        socket
    });
    let socket = socket.await.unwrap();
    app.anonymous().get("/health").await.status(200);
    assert_eq!(app.stop().await, 0);
    tokio::task::spawn_blocking(move || heard(&socket, "STOPPING=1")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_is_handed_over_is_served() {
    let app = tokio::task::spawn_blocking(|| App::builder(&Engine::Sqlite).prepare()).await.unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Somebody may ask before the program is there.
    let early = tokio::spawn(async move { Api::new(&format!("http://{address}"), None).get("/health").await.status });
    let codex = app.cli().command(&["serve", "--bind", "192.0.2.1:1"]);
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\" 3<&0 0</dev/null"])
        .arg(codex.get_program())
        .args(codex.get_args());
    shell.env_clear().envs(codex.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(app.folder());
    let mut child =
        shell.stdin(Stdio::from(OwnedFd::from(listener))).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    assert_eq!(early.await.unwrap(), 200, "what waited in the socket is answered");
    let api = Api::new(&format!("http://{address}"), Some(&app.tokens().admin));
    eventually("it is served", 20, || async { api.get("/api/companies").await.status == 200 }).await;
    let told = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(told.unwrap().success());
    let ended = tokio::task::spawn_blocking(move || child.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(0));
}
