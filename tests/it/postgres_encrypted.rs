//! TLS on the way to PostgreSQL: what each `sslmode` takes and refuses, as libpq does.

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::support::{App, Engine, cluster::Cluster};

const HBA: &str = "local all all trust
hostssl all encrypted 127.0.0.1/32 trust
hostnossl all plain 127.0.0.1/32 trust
host all postgres 127.0.0.1/32 trust
host replication all 127.0.0.1/32 trust
";

/// A certificate authority: its certificate in PEM, and what signs with it.
fn authority(name: &str) -> (String, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    (certificate, Issuer::new(params, key))
}

/// A certificate of `localhost` and its key.
fn server(authority: &Issuer<'static, KeyPair>) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    (params.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
}

/// One that signs itself and may sign others, as PostgreSQL's documentation makes it.
fn self_signed() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// A cluster that encrypts, and an instance to reach it from.
struct World {
    cluster: Cluster,
    app: App,
}

impl World {
    /// Reaches the cluster; what is said when that fails.
    fn reach(&self, user: &str, host: &str, parameters: &str) -> Result<(), String> {
        let port = self.cluster.port();
        let address = format!("postgresql://{user}@{host}:{port}/postgres?{parameters}");
        let said = self.app.cli().env("CODEX_DATABASE_CONNECTION_STRING", address).run(&["migrate"]);
        if said.code == 0 { Ok(()) } else { Err(said.stderr) }
    }

    /// Whether the last session of Codex was encrypted.
    fn was_encrypted(&self) -> bool {
        let log = self.cluster.log();
        let last = log.lines().rfind(|line| line.contains("application_name=codex")).expect("a session in the log");
        last.contains("SSL enabled")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sslmode_means_what_it_means_to_libpq() {
    tokio::task::spawn_blocking(every_mode).await.unwrap();
}

fn every_mode() {
    let Some(cluster) = Cluster::start(&["log_connections=on"]) else { return };
    let ((root, ours), (stranger, _)) = (authority("ours"), authority("a stranger"));
    let (certificate, key) = server(&ours);
    cluster.put("server.crt", &certificate);
    cluster.put("server.key", &key);
    cluster.put("pg_hba.conf", HBA);
    cluster.texts("postgres", "CREATE ROLE encrypted LOGIN SUPERUSER; CREATE ROLE plain LOGIN SUPERUSER");
    cluster.texts("postgres", "ALTER SYSTEM SET ssl = on");
    cluster.reload();
    let app = App::builder(&Engine::Sqlite).prepare();
    let world = World { cluster, app };
    let file = |name: &str, text: &str| {
        let place = world.app.folder().join(name);
        std::fs::write(&place, text).unwrap();
        format!("sslrootcert={}", place.display())
    };
    let (root, stranger) = (file("root.crt", &root), file("stranger.crt", &stranger));

    for (user, host, parameters, encrypted) in [
        ("postgres", "127.0.0.1", "sslmode=disable", false),
        ("postgres", "127.0.0.1", "", true),
        ("plain", "127.0.0.1", "sslmode=prefer", false),
        ("encrypted", "127.0.0.1", "sslmode=prefer", true),
        ("postgres", "127.0.0.1", "sslmode=allow", false),
        ("encrypted", "127.0.0.1", "sslmode=allow", true),
        ("postgres", "127.0.0.1", "sslmode=require", true),
        ("postgres", "127.0.0.1", &format!("sslmode=require&{root}"), true),
        ("postgres", "127.0.0.1", &format!("sslmode=verify-ca&{root}"), true),
        ("postgres", "localhost", &format!("sslmode=verify-full&{root}"), true),
    ] {
        world.reach(user, host, parameters).unwrap_or_else(|said| panic!("{user} {host} {parameters}: {said}"));
        assert_eq!(world.was_encrypted(), encrypted, "{user} {host} {parameters}");
    }
    for (user, host, parameters, named) in [
        ("encrypted", "127.0.0.1", "sslmode=disable", "pg_hba.conf"),
        ("plain", "127.0.0.1", "sslmode=require", "pg_hba.conf"),
        ("postgres", "127.0.0.1", &format!("sslmode=verify-full&{root}"), "not valid for name"),
        ("postgres", "localhost", &format!("sslmode=verify-full&{stranger}"), "UnknownIssuer"),
        ("postgres", "localhost", &format!("sslmode=verify-ca&{stranger}"), "UnknownIssuer"),
        ("postgres", "localhost", &format!("sslmode=require&{stranger}"), "UnknownIssuer"),
        ("postgres", "localhost", "sslmode=verify-full", "sslrootcert"),
        ("postgres", "localhost", "sslmode=verify-full&sslrootcert=/nowhere/root.crt", "/nowhere/root.crt"),
        ("postgres", "localhost", "sslrootcert=system", "TLS fails"),
        ("postgres", "localhost", "sslmode=verify", "verify-full"),
    ] {
        let said = world.reach(user, host, parameters).expect_err(parameters);
        assert!(said.contains(named), "{user} {host} {parameters}: {said}");
    }

    let (certificate, key) = self_signed();
    world.cluster.put("server.crt", &certificate);
    world.cluster.put("server.key", &key);
    world.cluster.reload();
    let own = file("own.crt", &certificate);
    let full = format!("sslmode=verify-full&{own}");
    let patience = std::time::Instant::now();
    while let Err(said) = world.reach("postgres", "localhost", &full) {
        // The server takes new files over in its own time.
        assert!(patience.elapsed().as_secs() < 20, "{said}");
    }
    let said = world.reach("postgres", "127.0.0.1", &full).expect_err("another host");
    assert!(said.contains("not valid for name"), "{said}");
    world.reach("postgres", "127.0.0.1", &format!("sslmode=verify-ca&{own}")).unwrap();
    world.reach("postgres", "localhost", &format!("sslmode=verify-full&{root}")).expect_err("signed by nobody known");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_encrypt_is_used_unless_that_is_required() {
    let Some(engine) = Engine::postgres() else { return };
    let app = tokio::task::spawn_blocking(move || App::builder(&engine).prepare()).await.unwrap();
    let url = app.database.url().unwrap();
    let migrate = async |mode: &str| {
        app.cli().env("CODEX_DATABASE_CONNECTION_STRING", format!("{url}?sslmode={mode}")).run_beside(&["migrate"]).await
    };
    migrate("prefer").await.success();
    migrate("allow").await.success();
    let said = migrate("require").await.code(5).stderr;
    assert!(said.contains("does not support TLS") && said.contains("sslmode"), "{said}");
}
