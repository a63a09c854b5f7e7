//! Letters to people through the operator's SMTP server, one at a time; who retries is whoever calls.

use std::{error::Error as _, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, Header, HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{self, Certificate, TlsParameters},
    },
};

use crate::config::{Mail, mail::Tls};

/// How long the server may take for each of its answers.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a certificate in PEM begins.
const BEGINS: &[u8] = b"-----BEGIN CERTIFICATE-----";

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
    let sent = transport(mail).await?.send(message).await;
    sent.map(|_| ()).map_err(|error| Fault { message: words(&error), is_permanent: error.is_permanent() })
}

async fn transport(mail: &Mail) -> Result<AsyncSmtpTransport<Tokio1Executor>, Fault> {
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&mail.host);
    let builder = match mail.tls {
        Tls::StartTls => builder.tls(client::Tls::Required(parameters(mail).await?)),
        Tls::Wrapped => builder.tls(client::Tls::Wrapper(parameters(mail).await?)),
        Tls::None => builder,
    };
    let builder = builder.port(mail.port).timeout(Some(PATIENCE));
    Ok(match &mail.account {
        Some((user, password)) => builder.credentials(Credentials::new(user.clone(), password.expose().to_owned())).build(),
        None => builder.build(),
    })
}

/// What the server must prove: that it is who it is called, to a certificate that the system trusts or the operator.
async fn parameters(mail: &Mail) -> Result<TlsParameters, Fault> {
    let mut parameters = TlsParameters::builder(mail.host.clone());
    if let Some(path) = &mail.ca_file {
        let wrong = |what: String| Fault::permanent(format!("mail.ca_file ({}): {what}", path.display()));
        let pem = tokio::fs::read(path).await.map_err(|error| wrong(error.to_string()))?;
        if !pem.windows(BEGINS.len()).any(|some| some == BEGINS) {
            return Err(wrong("holds no certificate in PEM".to_owned()));
        }
        let certificate = Certificate::from_pem(&pem).map_err(|error| wrong(words(&error)))?;
        parameters = parameters.add_root_certificate(certificate);
    }
    parameters.build_rustls().map_err(|error| Fault::permanent(words(&error)))
}

/// An error with what is behind it.
fn words(error: &lettre::transport::smtp::Error) -> String {
    let mut words = error.to_string();
    if let Some(source) = error.source().map(ToString::to_string).filter(|source| !words.contains(source.as_str())) {
        words = format!("{words}: {source}");
    }
    words
}
