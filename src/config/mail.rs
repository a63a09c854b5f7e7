//! `[mail]`: the SMTP server through which Codex writes to people.

use std::path::PathBuf;

use super::{Secret, read::Reader};

/// How the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// It begins in the clear and must be encrypted before anything is sent.
    StartTls,
    /// From the first byte.
    Wrapped,
    /// Not at all.
    None,
}

impl Tls {
    /// The port that servers of this kind listen on.
    const fn port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Wrapped => 465,
            Self::None => 25,
        }
    }
}

/// The server, and as whom we write.
#[derive(Clone, Debug)]
pub struct Mail {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    /// A file with certificates that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// User name and password, for servers that ask.
    pub account: Option<(String, Secret)>,
    /// The sender: an address, perhaps with a name.
    pub from: String,
}

impl Mail {
    /// None when no server is named.
    pub(super) fn read(read: &mut Reader<'_>) -> Option<Self> {
        let tls = read.parsed(("mail", "tls"), Tls::StartTls, |text| match text.to_lowercase().as_str() {
            "" | "starttls" => Ok(Tls::StartTls),
            "tls" | "ssl" => Ok(Tls::Wrapped),
            "none" => Ok(Tls::None),
            _ => Err("must be starttls, tls or none".to_owned()),
        });
        let port = read.parsed(("mail", "port"), None, |text| match text {
            "" => Ok(None),
            _ => text.parse::<u16>().ok().filter(|port| *port > 0).map(Some).ok_or("must be a port from 1 to 65535".to_owned()),
        });
        let (user, password) = (read.optional("mail", "user"), read.secret("mail", "password"));
        let ca_file = read.optional("mail", "ca_file").map(PathBuf::from);
        let host = read.optional("mail", "host")?;
        let from = read.optional("mail", "from").filter(|from| from.parse::<lettre::message::Mailbox>().is_ok());
        if from.is_none() {
            read.wrong("mail", "from", "must be the sender's address, such as Codex <codex@example.com>");
        }
        if user.is_some() != password.is_some() {
            read.wrong("mail", "password", "and mail.user must be set together");
        }
        let port = port.unwrap_or(tls.port());
        Some(Self { host, port, tls, ca_file, account: user.zip(password), from: from.unwrap_or_default() })
    }
}
