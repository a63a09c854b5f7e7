//! A TCP door in front of PostgreSQL that a test can shut and open, as if the server went away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A forwarder from a port of its own to a server.
pub struct Proxy {
    port: u16,
    open: Arc<AtomicBool>,
    connections: Arc<Mutex<JoinSet<()>>>,
    listener: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// Forwards to this address (`host:port`); shut when `open` is false.
    pub async fn start(server: String, open: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("the door's port");
        let port = listener.local_addr().expect("the door's address").port();
        let open = Arc::new(AtomicBool::new(open));
        let connections = Arc::new(Mutex::new(JoinSet::new()));
        let (gate, set) = (Arc::clone(&open), Arc::clone(&connections));
        let listener = tokio::spawn(async move {
            while let Ok((mut inside, _)) = listener.accept().await {
                if !gate.load(Ordering::SeqCst) {
                    let _refused = inside.set_zero_linger();
                    continue;
                }
                let server = server.clone();
                set.lock().unwrap_or_else(PoisonError::into_inner).spawn(async move {
                    if let Ok(mut outside) = TcpStream::connect(server).await {
                        let _until_either_closes = tokio::io::copy_bidirectional(&mut inside, &mut outside).await;
                    }
                });
            }
        });
        Self { port, open, connections, listener }
    }

    /// The port to use instead of the server's.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts every connection and refuses new ones.
    pub fn shut(&self) {
        self.open.store(false, Ordering::SeqCst);
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    /// Lets connections through again.
    pub fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listener.abort();
    }
}
