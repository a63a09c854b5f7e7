//! Receivers of what Codex sends by itself: an HTTP endpoint that answers as a test says, and a small SMTP server.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

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
}

#[derive(Default)]
struct Post {
    letters: Vec<Received>,
    /// What recipients are answered instead of 250.
    refusal: Option<String>,
}

/// An SMTP server without encryption that keeps what it is given.
pub struct Smtp {
    post: Arc<Mutex<Post>>,
    port: u16,
    task: tokio::task::JoinHandle<()>,
}

impl Smtp {
    /// One that takes everything.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("the SMTP port");
        let port = listener.local_addr().expect("an address").port();
        let post = Arc::new(Mutex::new(Post::default()));
        let kept = Arc::clone(&post);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    let _closed_by_either_side = talk(stream, &kept).await;
                });
            }
        });
        Self { post, port, task }
    }

    /// The settings that lead to it.
    pub fn configuration(&self) -> String {
        format!("[mail]\nhost = 127.0.0.1\nport = {}\ntls = none\nfrom = Codex <codex@example.com>\n", self.port)
    }

    /// From now on recipients are refused with this line, or taken.
    pub fn refuse(&self, line: Option<&str>) {
        self.post.lock().unwrap_or_else(PoisonError::into_inner).refusal = line.map(str::to_owned);
    }

    /// What it took, in order.
    pub fn letters(&self) -> Vec<Received> {
        self.post.lock().unwrap_or_else(PoisonError::into_inner).letters.clone()
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn talk(stream: tokio::net::TcpStream, post: &Mutex<Post>) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 test ESMTP\r\n").await?;
    let (mut from, mut to) = (String::new(), String::new());
    while let Some(line) = lines.next_line().await? {
        let word = line.split([' ', ':']).next().unwrap_or_default().to_uppercase();
        let address = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let answer = match word.as_str() {
            "EHLO" | "HELO" => "250 test".to_owned(),
            "MAIL" => {
                from = address();
                "250 ok".to_owned()
            }
            "RCPT" => {
                to = address();
                let refusal = post.lock().unwrap_or_else(PoisonError::into_inner).refusal.clone();
                refusal.unwrap_or_else(|| "250 ok".to_owned())
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                let mut text = String::new();
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    text.push_str(&line);
                    text.push('\n');
                }
                let letter = Received { from: from.clone(), to: to.clone(), text };
                post.lock().unwrap_or_else(PoisonError::into_inner).letters.push(letter);
                "250 taken".to_owned()
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "250 ok".to_owned(),
        };
        write.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}
