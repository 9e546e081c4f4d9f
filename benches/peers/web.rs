//! HTTPS beside nginx over plain files: TLS 1.3 with AES-128-GCM for both, one large
//! file by curl, and small ones over connections that stay open.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::measure::{median, ratio};
use crate::served::Outcome;
use crate::server::{Other, Server, free_address, version_of};
use crate::tree;

/// The one suite that both are asked for.
const SUITE: &str = "TLS_AES_128_GCM_SHA256";
const CONNECTIONS: usize = 8;
const REQUESTS_PER_CONNECTION: usize = 1_000;

/// What is asked of ours.
pub(crate) struct Asked {
    /// Path of a file of 1 GiB.
    pub(crate) large: String,
    /// Path of a file of 10 KiB.
    pub(crate) small: String,
    /// The token.
    pub(crate) secret: String,
    /// The certificate, which nginx shows as well.
    pub(crate) certificate: PathBuf,
    /// Its key.
    pub(crate) certificate_key: PathBuf,
}

/// One of the two.
struct Side {
    name: &'static str,
    at: SocketAddr,
    pid: u32,
    large: String,
    small: String,
    secret: Option<String>,
}

/// Measures both works, so many rounds in turn after one that warms up.
pub(crate) fn measure(
    runtime: &Runtime,
    folder: &Path,
    plain: &Path,
    ours: &Server,
    asked: &Asked,
    pairs: usize,
) -> Outcome<()> {
    let at = free_address()?;
    let nginx = start_nginx(folder, plain, asked, at)?;
    println!("\nnginx        {}", version_of("nginx", &["-v"]));
    let sides = [
        Side {
            name: "postkluis, sealed",
            at: ours.https()?,
            pid: ours.pid(),
            large: asked.large.clone(),
            small: asked.small.clone(),
            secret: Some(asked.secret.clone()),
        },
        Side {
            name: "nginx, plain",
            at,
            pid: nginx.pid(),
            large: "/large/large.bin".to_owned(),
            small: "/small/small-00000.bin".to_owned(),
            secret: None,
        },
    ];
    println!("\n-- HTTPS, 1 GiB by curl, {pairs} rounds in turn");
    compare(&sides, pairs, "GiB", 1.0, |side| curl(side, asked))?;
    let requests = CONNECTIONS * REQUESTS_PER_CONNECTION;
    println!("\n-- HTTPS, {requests} requests of 10 KiB over {CONNECTIONS} connections, {pairs} rounds in turn");
    let config = tls(asked)?;
    compare(&sides, pairs, "request", requests as f64, |side| {
        runtime.block_on(many(side, &config)).map_err(|error| error.to_string().into())
    })
}

fn compare(
    sides: &[Side; 2],
    pairs: usize,
    unit: &str,
    count: f64,
    work: impl Fn(&Side) -> Outcome<f64>,
) -> Outcome<()> {
    let mut wall = [Vec::new(), Vec::new()];
    let mut cpu = [Vec::new(), Vec::new()];
    for round in 0..=pairs {
        for ((side, wall), cpu) in sides.iter().zip(&mut wall).zip(&mut cpu) {
            let before = tree::cpu_seconds(side.pid);
            let taken = work(side)?;
            if round > 0 {
                wall.push(taken);
                cpu.push(tree::cpu_seconds(side.pid) - before);
            }
        }
    }
    for ((side, wall), cpu) in sides.iter().zip(&wall).zip(&cpu) {
        let (wall, cpu) = (median(wall), median(cpu));
        let (rate, each) = (count / wall, cpu * 1e6 / count);
        println!("{:<26} wall {wall:.2} s, {rate:.2} {unit}/s, CPU {each:.1} µs/{unit}", side.name);
    }
    let ([our_wall, their_wall], [our_cpu, their_cpu]) = (&wall, &cpu);
    println!("ours against nginx: wall {}, CPU {}", ratio(our_wall, their_wall), ratio(our_cpu, their_cpu));
    Ok(())
}

fn start_nginx(folder: &Path, plain: &Path, asked: &Asked, at: SocketAddr) -> Outcome<Other> {
    let own = folder.join("nginx");
    fs::create_dir(&own)?;
    let shown = own.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("  {kind}_temp_path {shown}/{kind};\n"))
        .concat();
    let text = format!(
        "daemon off;\nuser root;\nworker_processes auto;\npid {shown}/pid;\nerror_log {shown}/error.log;\n\
         events {{ worker_connections 1024; }}\nhttp {{\n  access_log {shown}/access.log;\n{temporary}\
         \x20 sendfile on;\n  keepalive_requests 1000000;\n  server {{\n    listen {at} ssl;\n    ssl_certificate {};\n    \
         ssl_certificate_key {};\n    ssl_protocols TLSv1.3;\n    ssl_conf_command Ciphersuites {SUITE};\n    root {};\n  }}\n}}\n",
        asked.certificate.display(),
        asked.certificate_key.display(),
        plain.display(),
    );
    let config = own.join("nginx.conf");
    fs::write(&config, text)?;
    let mut command = Command::new("nginx");
    command.arg("-e").arg(own.join("start.log")).arg("-c").arg(&config);
    Other::start_at(&mut command, at, &own.join("log"))
}

fn curl(side: &Side, asked: &Asked) -> Outcome<f64> {
    let mut command = Command::new("curl");
    command.args([
        "--silent",
        "--show-error",
        "--fail",
        "--http1.1",
        "--noproxy",
        "*",
        "--tls13-ciphers",
        SUITE,
        "--max-time",
        "120",
    ]);
    command.args(["--tlsv1.3", "--output", "/dev/null", "--cacert"]).arg(&asked.certificate);
    command.args(["--resolve", &format!("localhost:{}:{}", side.at.port(), side.at.ip())]);
    if let Some(secret) = &side.secret {
        command.args(["--header", &format!("Authorization: Bearer {secret}")]);
    }
    command.arg(format!("https://localhost:{}{}", side.at.port(), side.large));
    let begun = Instant::now();
    let output = command.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        return Err(format!("{}: {}", side.name, String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(begun.elapsed().as_secs_f64())
}

fn tls(asked: &Asked) -> Outcome<Arc<ClientConfig>> {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.cipher_suites.retain(|suite| format!("{:?}", suite.suite()).contains("TLS13_AES_128_GCM_SHA256"));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(&asked.certificate)? {
        roots.add(certificate?)?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// All requests, over connections that stay open; the wall seconds, without the handshakes.
async fn many(side: &Side, config: &Arc<ClientConfig>) -> Outcome<f64> {
    let mut senders = Vec::new();
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let socket = TcpStream::connect(side.at).await?;
        socket.set_nodelay(true)?;
        let name = ServerName::try_from("localhost")?;
        let stream = TlsConnector::from(Arc::clone(config)).connect(name, socket).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        connections.spawn(connection);
        senders.push(sender);
    }
    let mut request = Request::get(&side.small).header("host", "localhost");
    if let Some(secret) = &side.secret {
        request = request.header("authorization", format!("Bearer {secret}"));
    }
    let request = request.body(Empty::<Bytes>::new())?;
    let begun = Instant::now();
    let mut lanes: JoinSet<Result<(), String>> = JoinSet::new();
    for mut sender in senders {
        let request = request.clone();
        lanes.spawn(async move {
            for _ in 0..REQUESTS_PER_CONNECTION {
                sender.ready().await.map_err(|error| error.to_string())?;
                let answer = sender.send_request(request.clone()).await.map_err(|error| error.to_string())?;
                let status = answer.status();
                let body = answer.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
                if !status.is_success() || body.len() != 10 * 1024 {
                    return Err(format!("{status} with {} bytes", body.len()));
                }
            }
            Ok(())
        });
    }
    while let Some(ended) = lanes.join_next().await {
        ended??;
    }
    Ok(begun.elapsed().as_secs_f64())
}
