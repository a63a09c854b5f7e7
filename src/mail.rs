//! Letters to people through the operator's SMTP server, one at a time; who retries is whoever calls.

use std::{error::Error as _, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, Header, HeaderName, HeaderValue},
    },
    transport::smtp::authentication::Credentials,
};

use crate::config::{Mail, mail::Tls};

/// How long the server may take for each of its answers.
const PATIENCE: Duration = Duration::from_secs(10);

/// A letter.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The address of whoever it is for.
    pub to: String,
    pub subject: String,
    /// Plain text.
    pub text: String,
}

impl Letter {
    /// One that shows that mail arrives.
    #[must_use]
    pub fn test(to: &str) -> Self {
        let text = "This is a test mail from Codex. Mail works.\n".to_owned();
        Self { to: to.to_owned(), subject: "Codex test mail".to_owned(), text }
    }
}

/// Why a letter did not leave.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What the server or the network said, for administrators.
    pub message: String,
    /// Whether it is no use to try again.
    pub is_permanent: bool,
}

impl Fault {
    fn permanent(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_permanent: true }
    }
}

/// Tells other programs that nobody reads an automatic answer (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Sends a letter; it has left when this is `Ok`.
///
/// # Errors
/// What stood in the way.
pub async fn send(mail: &Mail, letter: &Letter) -> Result<(), Fault> {
    let from = mail.from.parse::<Mailbox>().map_err(|_| Fault::permanent("mail.from is no e-mail address"))?;
    let to = letter.to.parse().map_err(|_| Fault::permanent("the recipient's address is no e-mail address"))?;
    let message = Message::builder()
        .from(from)
        .to(Mailbox::new(None, to))
        .subject(&letter.subject)
        .header(ContentType::TEXT_PLAIN)
        .header(AutoSubmitted)
        .message_id(None)
        .body(letter.text.clone())
        .map_err(|error| Fault::permanent(error.to_string()))?;
    let sent = transport(mail)?.send(message).await;
    sent.map(|_| ()).map_err(|error| Fault { message: words(&error), is_permanent: error.is_permanent() })
}

fn transport(mail: &Mail) -> Result<AsyncSmtpTransport<Tokio1Executor>, Fault> {
    let unusable = |error: lettre::transport::smtp::Error| Fault::permanent(words(&error));
    let builder = match mail.tls {
        Tls::StartTls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&mail.host).map_err(unusable)?,
        Tls::Wrapped => AsyncSmtpTransport::<Tokio1Executor>::relay(&mail.host).map_err(unusable)?,
        Tls::None => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&mail.host),
    };
    let builder = builder.port(mail.port).timeout(Some(PATIENCE));
    Ok(match &mail.account {
        Some((user, password)) => builder.credentials(Credentials::new(user.clone(), password.expose().to_owned())).build(),
        None => builder.build(),
    })
}

/// An error with what is behind it.
fn words(error: &lettre::transport::smtp::Error) -> String {
    let mut words = error.to_string();
    if let Some(source) = error.source().map(ToString::to_string).filter(|source| !words.contains(source.as_str())) {
        words = format!("{words}: {source}");
    }
    words
}
