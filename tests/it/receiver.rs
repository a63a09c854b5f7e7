//! Receivers of what Codex sends by itself: an HTTP endpoint that answers as a test says, and a small SMTP server.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::http_server::{Answer, Answers, Request, Response, Server};

/// What was received, and how it is answered.
#[derive(Default)]
struct State {
    requests: Vec<Request>,
    answers: Vec<Response>,
}

#[derive(Default)]
struct World(Mutex<State>);

impl World {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers for World {
    fn answer(&self, request: &Request) -> Answer {
        let mut state = self.state();
        state.requests.push(request.clone());
        // The last answer stays.
        let answer = if state.answers.len() > 1 { Some(state.answers.remove(0)) } else { state.answers.first().cloned() };
        Answer::Whole(answer.unwrap_or_else(|| Response::new(204, "text/plain", "")))
    }
}

/// An HTTP endpoint.
pub struct Receiver {
    world: Arc<World>,
    server: Server,
}

impl Receiver {
    /// One that takes everything.
    pub async fn start() -> Self {
        let world = Arc::new(World::default());
        let server = Server::start(0, Arc::clone(&world) as Arc<dyn Answers>).await.expect("the receiver's port");
        Self { world, server }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.server.port())
    }

    /// From now on it answers so, one after the other; the last one for good.
    pub fn answer(&self, answers: &[Response]) {
        self.world.state().answers = answers.to_vec();
    }

    /// What it received, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.world.state().requests.clone()
    }

    /// The bodies of what it received.
    pub fn bodies(&self) -> Vec<Value> {
        self.requests().iter().map(Request::json).collect()
    }
}

/// A letter as the SMTP server took it.
#[derive(Clone, Debug)]
pub struct Received {
    pub from: String,
    pub to: String,
    /// Headers and body.
    pub text: String,
    /// Whether it came over an encrypted connection.
    pub is_encrypted: bool,
    /// What was sent to prove who writes, as base64.
    pub proof: Option<String>,
}

#[derive(Default)]
struct Post {
    letters: Vec<Received>,
    /// What recipients are answered instead of 250.
    refusal: Option<String>,
    /// How many connections were not encrypted as they should have been.
    failed: usize,
}

/// How connections are encrypted.
#[derive(Clone)]
enum Encryption {
    None,
    /// Begun in the clear, and encrypted when the client asks for it.
    Offered(TlsAcceptor),
    /// From the first byte.
    Wrapped(TlsAcceptor),
}

/// An SMTP server that keeps what it is given.
pub struct Smtp {
    post: Arc<Mutex<Post>>,
    port: u16,
    tls: &'static str,
    /// The certificate of whoever vouches for it, as PEM.
    authority: String,
    task: tokio::task::JoinHandle<()>,
}

impl Smtp {
    /// One without encryption that takes everything.
    pub async fn start() -> Self {
        Self::with(Encryption::None, "none", String::new()).await
    }

    /// One that takes letters after STARTTLS alone, with a certificate for this name.
    pub async fn with_starttls(name: &str) -> Self {
        let (acceptor, authority) = certified(name);
        Self::with(Encryption::Offered(acceptor), "starttls", authority).await
    }

    /// One whose connections are encrypted from the first byte, with a certificate for this name.
    pub async fn wrapped(name: &str) -> Self {
        let (acceptor, authority) = certified(name);
        Self::with(Encryption::Wrapped(acceptor), "tls", authority).await
    }

    async fn with(encryption: Encryption, tls: &'static str, authority: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("the SMTP port");
        let port = listener.local_addr().expect("an address").port();
        let post = Arc::new(Mutex::new(Post::default()));
        let kept = Arc::clone(&post);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, encryption) = (Arc::clone(&kept), encryption.clone());
                tokio::spawn(async move {
                    let _closed_by_either_side = serve(stream, &kept, &encryption).await;
                });
            }
        });
        Self { post, port, tls, authority, task }
    }

    /// The settings that lead to it, by its address.
    pub fn configuration(&self) -> String {
        self.configuration_of("127.0.0.1")
    }

    /// The same by this name of it.
    pub fn configuration_of(&self, host: &str) -> String {
        format!("[mail]\nhost = {host}\nport = {}\ntls = {}\nfrom = Codex <codex@example.com>\n", self.port, self.tls)
    }

    /// The certificate of whoever vouches for it, as PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// From now on recipients are refused with this line, or taken.
    pub fn refuse(&self, line: Option<&str>) {
        self.post.lock().unwrap_or_else(PoisonError::into_inner).refusal = line.map(str::to_owned);
    }

    /// What it took, in order.
    pub fn letters(&self) -> Vec<Received> {
        self.post.lock().unwrap_or_else(PoisonError::into_inner).letters.clone()
    }

    /// How many clients did not want to go on once they saw its certificate.
    pub fn failed(&self) -> usize {
        self.post.lock().unwrap_or_else(PoisonError::into_inner).failed
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A certificate for this name, and that of the authority that has made it.
fn certified(name: &str) -> (TlsAcceptor, String) {
    let authority_key = KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::new(Vec::new()).expect("an authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "Test authority");
    let made = authority.self_signed(&authority_key).expect("an authority's certificate");
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    let own = params.signed_by(&key, &issuer).expect("a certificate");
    let der = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_no_client_auth()
        .with_single_cert(vec![own.der().clone()], der)
        .expect("the server's certificate");
    (TlsAcceptor::from(Arc::new(config)), made.pem())
}

async fn serve(stream: TcpStream, post: &Mutex<Post>, encryption: &Encryption) -> std::io::Result<()> {
    let encrypted = match encryption {
        Encryption::None => return Talk { post, greets: true, is_encrypted: false, offers: false }.run(stream).await.map(drop),
        Encryption::Wrapped(acceptor) => acceptor.accept(stream).await,
        Encryption::Offered(acceptor) => {
            let plain = Talk { post, greets: true, is_encrypted: false, offers: true }.run(stream).await?;
            let Some(stream) = plain else { return Ok(()) };
            acceptor.accept(stream).await
        }
    };
    let greets = matches!(encryption, Encryption::Wrapped(_));
    match encrypted {
        Ok(stream) => Talk { post, greets, is_encrypted: true, offers: false }.run(stream).await.map(drop),
        Err(error) => {
            post.lock().unwrap_or_else(PoisonError::into_inner).failed += 1;
            Err(error)
        }
    }
}

/// What is said on one connection, before or after it was encrypted.
struct Talk<'a> {
    post: &'a Mutex<Post>,
    greets: bool,
    is_encrypted: bool,
    /// Whether encryption is offered; nothing else is taken then.
    offers: bool,
}

impl Talk<'_> {
    /// Talks to the end, or until the client asks for encryption: then the connection comes back.
    async fn run<S: AsyncRead + AsyncWrite + Unpin>(self, stream: S) -> std::io::Result<Option<S>> {
        let mut stream = BufReader::new(stream);
        if self.greets {
            stream.write_all(b"220 test ESMTP\r\n").await?;
        }
        let (mut from, mut to, mut proof) = (String::new(), String::new(), None);
        let mut line = String::new();
        while stream.read_line(&mut line).await? > 0 {
            let said = std::mem::take(&mut line);
            let said = said.trim_end();
            let word = said.split([' ', ':']).next().unwrap_or_default().to_uppercase();
            let address = || said.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            let answer = match word.as_str() {
                "EHLO" | "HELO" if self.offers => "250-test\r\n250 STARTTLS".to_owned(),
                "EHLO" | "HELO" if self.is_encrypted => "250-test\r\n250 AUTH PLAIN".to_owned(),
                "EHLO" | "HELO" => "250 test".to_owned(),
                "STARTTLS" if self.offers => {
                    stream.write_all(b"220 go on\r\n").await?;
                    return Ok(Some(stream.into_inner()));
                }
                "MAIL" | "RCPT" | "DATA" | "AUTH" if self.offers => "530 Must issue a STARTTLS command first".to_owned(),
                "AUTH" => {
                    proof = said.split(' ').nth(2).map(str::to_owned);
                    "235 welcome".to_owned()
                }
                "MAIL" => {
                    from = address();
                    "250 ok".to_owned()
                }
                "RCPT" => {
                    to = address();
                    let refusal = self.post.lock().unwrap_or_else(PoisonError::into_inner).refusal.clone();
                    refusal.unwrap_or_else(|| "250 ok".to_owned())
                }
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await?;
                    let mut text = String::new();
                    while stream.read_line(&mut line).await? > 0 && line.trim_end() != "." {
                        text.push_str(line.trim_end_matches(['\r', '\n']));
                        text.push('\n');
                        line.clear();
                    }
                    line.clear();
                    let (from, to, proof) = (from.clone(), to.clone(), proof.clone());
                    let letter = Received { from, to, text, is_encrypted: self.is_encrypted, proof };
                    self.post.lock().unwrap_or_else(PoisonError::into_inner).letters.push(letter);
                    "250 taken".to_owned()
                }
                "QUIT" => {
                    stream.write_all(b"221 bye\r\n").await?;
                    return Ok(None);
                }
                _ => "250 ok".to_owned(),
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
            stream.flush().await?;
        }
        Ok(None)
    }
}
