//! What an address of PostgreSQL asks for: libpq's parameters where the driver has fewer of them, and connecting by them.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use percent_encoding::percent_decode_str;
use postgres::{
    Client, NoTls,
    config::{Host, SslMode, TargetSessionAttrs},
};

use super::{
    away,
    tls::{Check, Connector},
};
use crate::{
    config::host_at,
    error::{Error, Result},
};

/// How long a connection attempt may take, and a shorter time where another server may do.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT_OF_SEVERAL: Duration = Duration::from_secs(2);
/// After how long without an answer of its machine a server counts as gone.
const GONE: Duration = Duration::from_secs(10);
/// How many questions whether it is there may go unanswered.
const PROBES: u32 = 3;

/// Whether a connection is encrypted, in libpq's words.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Encryption {
    /// `disable`.
    Never,
    /// `allow`: when the server insists.
    Allowed,
    /// `prefer`, which is what nothing said means: when the server can.
    Preferred,
    /// `require`, `verify-ca`, `verify-full`.
    Required(Check),
}

/// An address that was understood.
#[derive(Debug)]
pub(super) struct Address {
    driver: postgres::Config,
    encryption: Encryption,
}

/// libpq's parameters that the driver does not know, or knows less of.
#[derive(Default)]
struct Own {
    mode: Option<String>,
    roots: Option<String>,
    attributes: Option<String>,
    /// libpq's name for what the driver calls `keepalives_retries`.
    probes: Option<String>,
    /// Whether the address says how often an idle server is asked whether it is there.
    says_idle: bool,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// `BadRequest` that says which parameter is wrong; the password is in none.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let (own, rest) = Own::take(text)?;
        let mut driver: postgres::Config = rest.parse().map_err(|cause: postgres::Error| unreadable(&cause))?;
        let several = driver.get_hosts().len() > 1;
        let wants = match own.attributes.as_deref() {
            // Of several, only one takes writes.
            None if several => TargetSessionAttrs::ReadWrite,
            None | Some("any") => TargetSessionAttrs::Any,
            Some("read-write" | "primary") => TargetSessionAttrs::ReadWrite,
            Some(other) => return Err(wrong("target_session_attrs", "any, read-write or primary: Codex writes", other)),
        };
        driver.application_name("codex").target_session_attrs(wants);
        if driver.get_connect_timeout().is_none() {
            driver.connect_timeout(if several { CONNECT_TIMEOUT_OF_SEVERAL } else { CONNECT_TIMEOUT });
        }
        if driver.get_tcp_user_timeout().is_none() {
            driver.tcp_user_timeout(GONE);
        }
        if !own.says_idle {
            driver.keepalives_idle(GONE);
        }
        if driver.get_keepalives_interval().is_none() {
            driver.keepalives_interval(GONE / 4);
        }
        if let Some(probes) = &own.probes {
            driver.keepalives_retries(probes.parse().map_err(|_| wrong("keepalives_count", "a number", probes))?);
        } else if driver.get_keepalives_retries().is_none() {
            driver.keepalives_retries(PROBES);
        }
        let local = driver.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
        let encryption = own.encryption()?;
        // Nothing leaves the machine; libpq does not encrypt it either.
        Ok(Self { driver, encryption: if local { Encryption::Never } else { encryption } })
    }

    /// Opens a session.
    ///
    /// # Errors
    /// `Unavailable` with the server's reason, never with the password; `BadRequest` when the certificates to check
    /// against cannot be used.
    pub(super) fn connect(&self) -> Result<Client> {
        let plain = || {
            let mut driver = self.driver.clone();
            driver.ssl_mode(SslMode::Disable).connect(NoTls)
        };
        let encrypted = |mode: SslMode, connector: Connector| {
            let mut driver = self.driver.clone();
            driver.ssl_mode(mode).connect(connector)
        };
        match &self.encryption {
            Encryption::Never => plain().map_err(|cause| away(&self.driver, &cause, false)),
            Encryption::Allowed => match plain() {
                Err(cause) if is_refused(&cause) => {
                    let connector = Connector::new(&Check::Nothing)?;
                    encrypted(SslMode::Require, connector).map_err(|cause| away(&self.driver, &cause, true))
                }
                other => other.map_err(|cause| away(&self.driver, &cause, false)),
            },
            Encryption::Preferred => {
                let connector = Connector::new(&Check::Nothing)?;
                match encrypted(SslMode::Prefer, connector.clone()) {
                    // The server wants no encryption of us, or its encryption is beyond us.
                    Err(cause) if connector.has_begun() && (cause.as_db_error().is_none() || is_refused(&cause)) => {
                        plain().map_err(|cause| away(&self.driver, &cause, false))
                    }
                    other => other.map_err(|cause| away(&self.driver, &cause, false)),
                }
            }
            Encryption::Required(check) => {
                let connector = Connector::new(check)?;
                encrypted(SslMode::Require, connector.clone())
                    .map_err(|cause| away(&self.driver, &cause, connector.has_begun() || is_unencrypted(&cause)))
            }
        }
    }
}

impl Own {
    /// Takes them out of an address.
    fn take(text: &str) -> Result<(Self, String)> {
        let begin = text.find("://").map_or(0, |at| at + 3);
        let host = begin + host_at(&text[begin..]);
        let user = text[begin..host].strip_suffix('@');
        // The driver takes the first `@` for the end of the password.
        let user = user.map(|user| format!("{}@", user.replace('@', "%40"))).unwrap_or_default();
        let (place, parameters) = text[host..].split_once('?').unwrap_or((&text[host..], ""));
        let place = format!("{}{user}{place}", &text[..begin]);
        let mut own = Self::default();
        let mut others = Vec::new();
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let slot = match name {
                "sslmode" => &mut own.mode,
                "sslrootcert" => &mut own.roots,
                "target_session_attrs" => &mut own.attributes,
                "keepalives_count" => &mut own.probes,
                // The driver takes several hosts one by one here.
                "host" => {
                    others.extend(value.split(',').map(|host| format!("host={host}")));
                    continue;
                }
                _ => {
                    own.says_idle |= name == "keepalives_idle";
                    others.push(parameter.to_owned());
                    continue;
                }
            };
            let value = percent_decode_str(value).decode_utf8().map_err(|_| wrong(name, "text in UTF-8", value))?;
            *slot = Some(value.into_owned()).filter(|value| !value.is_empty());
        }
        let end = if others.is_empty() { String::new() } else { format!("?{}", others.join("&")) };
        Ok((own, format!("{place}{end}")))
    }

    fn encryption(&self) -> Result<Encryption> {
        if self.roots.as_deref() == Some("system") {
            return match self.mode.as_deref() {
                None | Some("verify-full") => Ok(Encryption::Required(Check::HostBySystem)),
                Some(weaker) => Err(wrong("sslmode", "verify-full with sslrootcert=system", weaker)),
            };
        }
        let usual = std::env::home_dir().map(|home| home.join(".postgresql/root.crt"));
        let named = self.roots.as_ref().map(PathBuf::from);
        let roots = || {
            named.clone().or_else(|| usual.clone()).ok_or_else(|| {
                Error::BadRequest("sslmode in the address in [database] needs sslrootcert=FILE, or sslrootcert=system".to_owned())
            })
        };
        Ok(match self.mode.as_deref() {
            Some("disable") => Encryption::Never,
            Some("allow") => Encryption::Allowed,
            None | Some("prefer") => Encryption::Preferred,
            // As in libpq: where there is a root certificate, the signer is checked against it.
            Some("require") => match named.or_else(|| usual.filter(|file| file.exists())) {
                Some(file) => Encryption::Required(Check::Signer(file)),
                None => Encryption::Required(Check::Nothing),
            },
            Some("verify-ca") => Encryption::Required(Check::Signer(roots()?)),
            Some("verify-full") => Encryption::Required(Check::Host(roots()?)),
            Some(other) => return Err(wrong("sslmode", "disable, allow, prefer, require, verify-ca or verify-full", other)),
        })
    }
}

/// Whether two addresses lead to one database, as far as they tell: to one of that name on one of the same servers.
pub(in crate::db) fn is_same(one: &str, other: &str) -> bool {
    let (Ok(one), Ok(other)) = (Address::parse(one), Address::parse(other)) else { return false };
    let database = |address: &Address| address.driver.get_dbname().or(address.driver.get_user()).map(str::to_owned);
    database(&one) == database(&other) && !servers(&one.driver).is_disjoint(&servers(&other.driver))
}

/// Hosts, in lower case and all names of this machine as one, each with its port.
fn servers(driver: &postgres::Config) -> BTreeSet<(String, u16)> {
    let name = |host: &Host| match host {
        Host::Tcp(name) if !matches!(name.as_str(), "127.0.0.1" | "::1" | "[::1]") => name.to_lowercase(),
        Host::Tcp(_) | Host::Unix(_) => "localhost".to_owned(),
    };
    let ports = driver.get_ports();
    // One port is that of all hosts, none is the usual one.
    let port = |at: usize| ports.get(at).or(ports.first()).copied().unwrap_or(5432);
    let named: BTreeSet<_> = driver.get_hosts().iter().enumerate().map(|(at, host)| (name(host), port(at))).collect();
    if named.is_empty() { BTreeSet::from([("localhost".to_owned(), port(0))]) } else { named }
}

fn wrong(name: &str, right: &str, found: &str) -> Error {
    Error::BadRequest(format!("{name} of the address in [database] must be {right}, not {found:?}"))
}

fn unreadable(cause: &postgres::Error) -> Error {
    use std::error::Error as _;
    let why = cause.source().map(|why| format!(" ({why})")).unwrap_or_default();
    Error::BadRequest(format!(
        "database.connection_string cannot be read{why}; write it as postgresql://user:password@host:port/database"
    ))
}

/// Whether the server refuses who connects in this way (`pg_hba.conf`).
fn is_refused(cause: &postgres::Error) -> bool {
    cause.as_db_error().is_some_and(|server| server.code().code() == "28000")
}

/// Whether the server cannot encrypt.
fn is_unencrypted(cause: &postgres::Error) -> bool {
    use std::error::Error as _;
    cause.source().is_some_and(|why| why.to_string().contains("does not support TLS"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encryption(parameters: &str) -> Result<Encryption> {
        Address::parse(&format!("postgresql://u:p@db.example.com/codex{parameters}")).map(|address| address.encryption)
    }

    #[test]
    fn sslmode_means_what_libpq_means() {
        let file = || PathBuf::from("/etc/root.crt");
        for (parameters, expected) in [
            ("", Encryption::Preferred),
            ("?sslmode=prefer", Encryption::Preferred),
            ("?sslmode=disable", Encryption::Never),
            ("?sslmode=allow", Encryption::Allowed),
            ("?sslmode=require&sslrootcert=/etc/root.crt", Encryption::Required(Check::Signer(file()))),
            ("?sslmode=verify-ca&sslrootcert=%2Fetc%2Froot.crt", Encryption::Required(Check::Signer(file()))),
            ("?sslrootcert=/etc/root.crt&sslmode=verify-full", Encryption::Required(Check::Host(file()))),
            ("?sslrootcert=system", Encryption::Required(Check::HostBySystem)),
        ] {
            assert_eq!(encryption(parameters).unwrap(), expected, "{parameters}");
        }
        for (parameters, named) in [
            ("?sslmode=verify", "sslmode"),
            ("?sslmode=require&sslrootcert=system", "verify-full"),
            ("?target_session_attrs=standby", "target_session_attrs"),
            ("?sslkey=x", "sslkey"),
        ] {
            let refused = encryption(parameters).unwrap_err().to_string();
            assert!(refused.contains(named) && !refused.contains("u:p"), "{refused}");
        }
    }

    #[test]
    fn a_password_with_a_question_mark_hides_no_parameter() {
        let address =
            Address::parse("postgresql://u:s3?c/ret@db.example.com/codex?sslmode=verify-full&sslrootcert=system").unwrap();
        assert_eq!(address.encryption, Encryption::Required(Check::HostBySystem));
        assert_eq!(address.driver.get_password(), Some(b"s3?c/ret".as_slice()));
        assert_eq!(address.driver.get_dbname(), Some("codex"));
    }

    #[test]
    fn a_password_may_have_an_at_sign() {
        for (text, password) in [
            ("postgresql://u:p@ss@db.example.com/codex", "p@ss"),
            ("postgresql://u:p%40s@s@db.example.com:5432/codex?sslmode=disable", "p@s@s"),
        ] {
            let driver = Address::parse(text).unwrap().driver;
            assert_eq!(driver.get_password(), Some(password.as_bytes()), "{text}");
            assert_eq!(driver.get_hosts(), [Host::Tcp("db.example.com".to_owned())], "{text}");
            assert_eq!((driver.get_user(), driver.get_dbname()), (Some("u"), Some("codex")), "{text}");
        }
    }

    #[test]
    fn what_the_address_says_of_keepalives_counts() {
        let said = |parameters: &str| {
            let driver = Address::parse(&format!("postgresql://u@h/codex{parameters}")).unwrap().driver;
            let seconds = |time: Option<&Duration>| time.map(Duration::as_secs);
            (
                driver.get_keepalives_idle().as_secs(),
                seconds(driver.get_keepalives_interval().as_ref()),
                driver.get_keepalives_retries(),
                seconds(driver.get_tcp_user_timeout()),
            )
        };
        assert_eq!(said(""), (10, Some(2), Some(3), Some(10)));
        assert_eq!(
            said("?keepalives_idle=60&keepalives_interval=20&keepalives_retries=9&tcp_user_timeout=30"),
            (60, Some(20), Some(9), Some(30))
        );
        assert_eq!(said("?keepalives_idle=60"), (60, Some(2), Some(3), Some(10)));
        assert_eq!(said("?keepalives_count=5"), (10, Some(2), Some(5), Some(10)));
        assert_eq!(said("?tcp_user_timeout=30"), (10, Some(2), Some(3), Some(30)));
        let refused = Address::parse("postgresql://u:p@h/codex?keepalives_count=many").unwrap_err().to_string();
        assert!(refused.contains("keepalives_count") && refused.contains("a number"), "{refused}");
    }

    #[test]
    fn two_addresses_of_one_database_are_known() {
        let one = "postgresql://u:p@db1:5433,db2/codex?sslmode=verify-full&sslrootcert=system";
        for (other, same) in [
            ("postgresql://v@DB1:5433/codex", true),
            ("postgresql://v@db2/codex?connect_timeout=3", true),
            ("postgresql:///codex?host=db3,db2&port=1,5432", true),
            ("postgresql://v@db1/codex", false),
            ("postgresql://v@db3,db4/codex", false),
            ("postgresql://v@db2/other", false),
        ] {
            assert_eq!(is_same(one, other), same, "{other}");
        }
        assert!(is_same("postgresql://codex@localhost", "postgresql:///codex?host=/run/postgresql"));
        assert!(is_same("postgresql://a:x@y@127.0.0.1/codex", "postgresql://b@[::1]:5432/codex"));
        assert!(!is_same("postgresql://a@127.0.0.1:5433/codex", "postgresql://a@localhost/codex"));
    }

    #[test]
    fn of_several_hosts_the_one_that_takes_writes_is_wanted() {
        let attributes = |text: &str| Address::parse(text).unwrap().driver.get_target_session_attrs();
        assert_eq!(attributes("postgresql://u@one:5432/codex"), TargetSessionAttrs::Any);
        assert_eq!(attributes("postgresql://u@one:5432,two:5433/codex"), TargetSessionAttrs::ReadWrite);
        assert_eq!(attributes("postgresql://u@one,two/codex?target_session_attrs=any"), TargetSessionAttrs::Any);
        assert_eq!(attributes("postgresql://u@one/codex?target_session_attrs=primary"), TargetSessionAttrs::ReadWrite);
    }

    #[test]
    fn nothing_is_encrypted_on_a_socket_of_this_machine() {
        let local = Address::parse("postgresql:///codex?host=/run/postgresql&sslmode=require").unwrap();
        assert_eq!(local.encryption, Encryption::Never);
    }
}
