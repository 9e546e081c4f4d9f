//! The HTTPS front: the API for recipients over TLS, and the operator's listener.
//! Thin: it reads requests, asks operations and writes answers. Knows no ports.
//!
//! The operator's listener speaks plain HTTP and TLS: the office with its sign-in over
//! TLS alone; publishing, without sign-in, only while it is bound to a loopback address.

mod answer;
mod api;
mod ask;
mod bearer;
mod body;
mod conditions;
mod listener;
mod openapi;
mod operator;
mod portal;
mod receive;
mod reply;
mod routes;
pub mod tls;
mod wire;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::config::Config;
use crate::fronts::server_facts::ServerFacts;
use crate::operations::{Failure, Fault, Operations};
pub use tls::TlsFault;

/// What every handler may use.
struct Site {
    /// The configuration.
    pub config: Arc<Config>,
    /// The verbs.
    pub operations: Arc<Operations>,
    penalties: bearer::Penalties,
    style_sheet: bytes::Bytes,
    facts: OnceLock<ServerFacts>,
    start_texts: portal::StartTexts,
    stopping: AtomicBool,
}

impl Site {
    /// What clients must know of the server.
    fn facts(&self) -> Result<&ServerFacts, Failure> {
        Ok(self.facts.get().ok_or_else(|| Fault::new("tell of this server: nobody has told of it yet"))?)
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

/// The front, ready to serve. Certificate and key are read when it is made.
pub struct HttpsFront {
    site: Arc<Site>,
    tls: TlsAcceptor,
}

impl HttpsFront {
    /// Reads certificate and key. Opens nothing.
    ///
    /// # Errors
    /// Files that cannot be read or do not belong together.
    pub fn new(config: Arc<Config>, operations: Arc<Operations>) -> Result<Self, TlsFault> {
        let https = &config.https;
        let tls = tls::acceptor(&https.certificate, &https.key, https.tls_minimum)?;
        let own = config.portal.style_sheet.as_deref();
        let style_sheet = portal::laid_over(own)
            .map_err(|error| TlsFault::of_file("portal.style_sheet", own.unwrap_or(Path::new("")), error))?;
        let (dutch, english) = (config.portal.start_text.as_deref(), config.portal.start_text_english.as_deref());
        let start_texts = portal::StartTexts::read(dutch, english).map_err(|error| {
            TlsFault::of_file("portal.start_text", dutch.or(english).unwrap_or(Path::new("")), error)
        })?;
        let penalties = bearer::Penalties::default();
        let site = Site {
            config,
            operations,
            penalties,
            style_sheet,
            start_texts,
            facts: OnceLock::new(),
            stopping: AtomicBool::new(false),
        };
        Ok(Self { site: Arc::new(site), tls })
    }

    /// Tells what clients must know of the server, once, before it serves.
    pub fn tell(&self, facts: ServerFacts) {
        // what was told first stays
        let _ = self.site.facts.set(facts);
    }

    /// Serves the public API until `shutdown` turns true (or its sender is gone), then lets running
    /// requests finish for `https.drain_grace`. On return every connection is gone and what left is
    /// on record.
    pub async fn serve(&self, listener: TcpListener, shutdown: watch::Receiver<bool>) {
        listener::serve(Arc::clone(&self.site), listener, routes::EVERYBODY, self.tls.clone(), None, shutdown).await;
    }

    /// Serves the operator's listener in the same way: the office over TLS; its health, and publishing while it is
    /// bound to a loopback address, over plain HTTP too.
    ///
    /// # Errors
    /// A listener that does not know its own address.
    pub async fn serve_operator(&self, listener: TcpListener, shutdown: watch::Receiver<bool>) -> io::Result<()> {
        let (table, plain) = if listener.local_addr()?.ip().is_loopback() {
            (routes::LOCAL_OFFICE, routes::LOCAL)
        } else {
            tracing::info!("operator.listen is no loopback address: nothing is published through it");
            (routes::OFFICE, routes::HEALTH_ALONE)
        };
        tokio::select! {
            () = listener::serve(Arc::clone(&self.site), listener, table, self.tls.clone(), Some(plain), shutdown) => {}
            () = operator::stage::sweep_forever(Arc::clone(&self.site)) => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
