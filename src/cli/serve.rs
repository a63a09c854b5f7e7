//! `codex serve`: the server, from the first folder to the last answer.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

use super::{Context, Failure, context, demo, failure, out, systemd};
use crate::{
    app,
    config::{Config, keep_address},
    db::Db,
    error::Error,
    jobs, notices, outgoing_webhooks,
    platform::damage_watch,
    records::{import, search_keys},
    types::Scope,
    web::{
        server::{self, Service},
        tls::Certificate,
    },
};

/// How long answers in progress may take after a signal; Helm kills at ten seconds.
const DRAIN: Duration = Duration::from_secs(8);

/// How long the database may take to store who read what last.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// Arguments of `codex serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  codex serve --demo\n  codex --instance /var/lib/codex serve --bind 127.0.0.1:0")]
pub struct Args {
    /// Address and port to listen on; port 0 picks a free one [default: 127.0.0.1:5010]
    #[arg(long, value_name = "ADDR:PORT")]
    bind: Option<String>,
    /// Speak https: the certificate in PEM, with those that vouch for it; a new one is taken over while the server runs
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The key of that certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Fill an empty database with a believable company to look at
    #[arg(long)]
    pub(super) demo: bool,
    /// Read assets from disk, log at debug, cache nothing
    #[arg(long)]
    dev: bool,
}

/// Serves until SIGTERM or SIGINT.
pub fn run(context: Context, args: Args) -> Result<u8, Failure> {
    let dev = args.dev.then(|| "true".to_owned());
    // What is typed is meant from where it is typed.
    let file = |path: Option<PathBuf>| path.map(|path| std::path::absolute(&path).unwrap_or(path).to_string_lossy().into_owned());
    let context = context
        .with_flag("server", "bind", "--bind", args.bind)
        .with_flag("server", "dev", "--dev", dev)
        .with_flag("server", "tls_cert", "--tls-cert", file(args.tls_cert))
        .with_flag("server", "tls_key", "--tls-key", file(args.tls_key));
    let config = context.start(false)?;
    // Refused before anything is created.
    context::target(&config)?;
    context::block_on(serve(Arc::new(config), args.demo))?
}

async fn serve(config: Arc<Config>, with_demo: bool) -> Result<u8, Failure> {
    let certificate = certificate(&config)?;
    let tls = certificate.as_ref().map(Certificate::acceptor).transpose().map_err(unusable)?;
    let listener = match systemd::socket()? {
        Some(listener) => listener,
        None => listen(config.server.bind)?,
    };
    let address = listener.local_addr()?;
    let db = context::open_patiently(&config)?;
    if with_demo {
        demo::fill(&db).await?;
    }
    let app = app::App::new(config.clone(), db.clone())?;
    // Before anybody can know of us: who sees our address may end us at once.
    let signals = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    announce(&config, address);
    let service = Service { router: app.router(), limits: app.limits(), tls };
    if let Some(certificate) = certificate {
        tokio::spawn(certificate.watch());
    }
    let serving = app.clone();
    // It waits for the database by itself.
    let scheduler = tokio::spawn(jobs::scheduler::run(db.clone(), config.clone()));
    let webhooks = tokio::spawn(outgoing_webhooks::run(db.clone(), config.clone()));
    let told = tokio::spawn(notices::run(db.clone(), config.clone()));
    let watch = tokio::spawn(damage_watch::watch(db.clone()));
    if !begin(&config, &app, &db, address).await {
        // The database is not there yet; what needs it follows when it is.
        tokio::spawn(async move {
            while !begin(&config, &app, &db, address).await {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
    }
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(async move {
        let signal = signalled(signals).await;
        // Nothing new begins while we end, and what a search for damage did not come to is no news then.
        scheduler.abort();
        webhooks.abort();
        told.abort();
        watch.abort();
        systemd::stopping();
        tracing::info!(signal, "stopping: answers in progress are finished first");
        let _nobody_serves = stop.send(());
    });
    systemd::ready();
    let alive = tokio::spawn(systemd::keep_alive());
    server::serve(listener, service, async { drop(stopped.await) }, DRAIN).await;
    alive.abort();
    if tokio::time::timeout(LAST_WRITE, serving.flush()).await.is_err() {
        tracing::warn!("who read protected records last could not be stored");
    }
    tracing::info!("stopped");
    Ok(failure::DONE)
}

/// The certificate with which we encrypt connections ourselves, if there is one.
fn certificate(config: &Config) -> Result<Option<Arc<Certificate>>, Failure> {
    let Some((certificate, key)) = &config.server.tls else { return Ok(None) };
    Certificate::open(certificate, key).map(Some).map_err(unusable)
}

fn unusable(why: String) -> Failure {
    Failure::usage(format!("https cannot be spoken: {why}; `codex certs` makes a pair"))
}

/// The address under which we can be reached.
fn base(config: &Config, address: SocketAddr) -> String {
    let scheme = if config.server.tls.is_some() { "https" } else { "http" };
    format!("{scheme}://{address}")
}

fn listen(bind: SocketAddr) -> Result<TcpListener, Failure> {
    server::listen(bind).map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => Failure::new(
            failure::BUSY,
            format!("{bind} is taken: is Codex already running? Choose another with --bind ADDR:PORT"),
        ),
        _ => Failure::new(failure::FAILED, format!("cannot listen on {bind}: {error}")),
    })
}

/// Says where we are. Nobody may be reading; that is no reason to stop.
fn announce(config: &Config, address: SocketAddr) {
    let _nobody_reads = out::line(format_args!("Codex is listening on {}", base(config, address)));
    let _nobody_reads = out::line(format_args!("Data: {} ({})", config.database.describe(), config.instance.display()));
}

/// What a start does in the database: the sign-in link, and the jobs that an earlier process left behind.
/// False when the database is not there yet.
async fn begin(config: &Config, app: &app::App, db: &Db, address: SocketAddr) -> bool {
    let there = db.read(&Scope::All, crate::db::ping).await;
    if matches!(there, Err(Error::Unavailable(_))) || !print_sign_in(config, app, address).await {
        return false;
    }
    // Done already, unless the database was away when it was opened.
    if let Err(error) = search_keys::refresh(db).await {
        tracing::warn!(%error, "the search keys of an earlier version could not all be made anew");
    }
    match jobs::reap(db).await {
        Ok(_) => {
            if let Err(error) = keep_address(config) {
                tracing::warn!(%error, "the database's address could not be kept against Helm's placeholder");
            }
        }
        Err(error) => tracing::warn!(%error, "jobs of an earlier process could not be looked at"),
    }
    let db = db.clone();
    tokio::spawn(async move {
        if let Err(error) = import::resume(&db).await {
            tracing::warn!(%error, "an import that was interrupted could not go on");
        }
    });
    true
}

/// Prints the first administrator's link when there is none yet; false when the database cannot tell.
async fn print_sign_in(config: &Config, app: &app::App, address: SocketAddr) -> bool {
    let Some(identity) = app.identity() else { return true };
    match identity.first_run_token().await {
        Ok(None) => true,
        Ok(Some(token)) => {
            let base = config.server.public_url.clone().unwrap_or_else(|| base(config, address));
            let _nobody_reads = out::line(format_args!("Sign in: {base}/first-run?token={token}"));
            out::note("The link makes the first administrator; it works once, for 15 minutes.");
            true
        }
        Err(_) => false,
    }
}

/// The name of the signal that ends us.
async fn signalled((mut terminate, mut interrupt): (Signal, Signal)) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
