//! `codex certs`: a certificate that vouches for itself, for a server without a proxy and without a name that others could
//! vouch for.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest;
use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};

use super::{Context, Failure, context, failure, out};
use crate::config::private;

/// Arguments of `codex certs`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  codex certs codex.example.com 192.0.2.10\n  codex serve --tls-cert instance/tls/cert.pem \
                        --tls-key instance/tls/key.pem\n\nBrowsers warn of such a certificate until it is among those they \
                        trust; compare the fingerprint first.")]
pub struct Args {
    /// Host names and addresses by which people reach this server [default: this machine's name, localhost, 127.0.0.1, `::1`]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Folder for cert.pem and key.pem [default: tls in the instance folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Days for which it is good; browsers take no more than 825
    #[arg(long, default_value_t = 825, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=3650))]
    days: u16,
    /// Put a new pair in the place of the old one; a server that uses it takes it over by itself
    #[arg(long)]
    force: bool,
}

/// Makes the pair.
pub fn run(context: &Context, args: &Args) -> Result<u8, Failure> {
    let config = context.start(true)?;
    let folder = match &args.out {
        Some(folder) => folder.clone(),
        None => {
            context::make_instance(&config)?;
            config.instance.join("tls")
        }
    };
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    if let Some(there) = [&certificate, &key].into_iter().find(|file| file.exists() && !args.force) {
        return Err(Failure::usage(format!("{} is there already; --force puts a new pair in its place", there.display())));
    }
    let names = if args.names.is_empty() { usual_names() } else { args.names.clone() };
    let made = make(&names, args.days)?;
    private::folder(&folder).map_err(|error| unwritable(&folder, &error))?;
    // The key first: until both are new they do not fit, and a server that looks meanwhile keeps what it has.
    put(&key, &made.key)?;
    put(&certificate, &made.certificate)?;
    out::line(format_args!("{}", certificate.display()))?;
    out::line(format_args!("{}", key.display()))?;
    out::note(format_args!("For {}, until {}", names.join(", "), made.until));
    out::note(format_args!("SHA-256 fingerprint: {}", made.fingerprint));
    Ok(failure::DONE)
}

struct Made {
    certificate: String,
    key: String,
    until: jiff::civil::Date,
    fingerprint: String,
}

fn usual_names() -> Vec<String> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let local = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let host = Some(host.trim().to_owned()).filter(|host| !host.is_empty() && host != "localhost");
    host.into_iter().chain(local).collect()
}

fn make(names: &[String], days: u16) -> Result<Made, Failure> {
    let wrong = |error: rcgen::Error| Failure::usage(format!("no certificate can be made for {}: {error}", names.join(", ")));
    if let Some(name) = names.iter().find(|name| !is_name(name)) {
        return Err(Failure::usage(format!("{name:?} is no host name and no address; write codex.example.com or 192.0.2.10")));
    }
    let mut params = CertificateParams::new(names).map_err(wrong)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, names.first().map_or("codex", String::as_str));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    // From yesterday on, as clocks differ.
    let since = today.saturating_sub(1.day());
    let until = today.saturating_add(i64::from(days).days());
    let date =
        |date: jiff::civil::Date| date_time_ymd(i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs());
    (params.not_before, params.not_after) = (date(since), date(until));
    let key = KeyPair::generate().map_err(wrong)?;
    let signed = params.self_signed(&key).map_err(wrong)?;
    let digest = digest::digest(&digest::SHA256, signed.der());
    let fingerprint = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":");
    Ok(Made { certificate: signed.pem(), key: key.serialize_pem(), until, fingerprint })
}

fn is_name(name: &str) -> bool {
    rustls::pki_types::ServerName::try_from(name.strip_prefix("*.").unwrap_or(name)).is_ok()
}

/// Puts a file in place at once, for its owner alone.
fn put(file: &Path, text: &str) -> Result<(), Failure> {
    let new = file.with_extension("pem.new");
    let written = private::create(&new).and_then(|mut made| {
        made.write_all(text.as_bytes())?;
        made.sync_all()
    });
    written.and_then(|()| std::fs::rename(&new, file)).map_err(|error| unwritable(file, &error))
}

fn unwritable(place: &Path, error: &std::io::Error) -> Failure {
    let how = private::run_as_owner(place).unwrap_or_else(|| error.to_string());
    Failure::new(failure::STORAGE, format!("{} cannot be written: {how}", place.display()))
}
