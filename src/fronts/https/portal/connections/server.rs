//! What clients must know of the server: SFTP address, host keys now and next, certificate.
//! For administrators, who set clients up.

use askama::Template;

use super::{Ask, Failure, Member, day, texts};
use crate::fronts::https::portal::page::Frame;
use crate::fronts::https::portal::texts::ConnectionTexts;
use crate::fronts::https::reply::Reply;
use crate::fronts::server_facts::HostKeyFact;

#[derive(Template)]
#[template(path = "connections/server.html", config = "src/fronts/https/portal/askama.toml")]
struct Server {
    frame: Frame,
    t: &'static ConnectionTexts,
    host: String,
    port: u16,
    keys: Vec<HostKeyFact>,
    known_hosts: String,
    sshfp: String,
    has_next: bool,
    base_url: String,
    certificate: String,
    certificate_until: String,
}

/// Address, fingerprints and records.
pub(in crate::fronts::https) fn server(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    // judged as the list of machine accounts is
    ask.site.operations.machines(&member.visit.caller)?;
    let facts = ask.site.facts()?;
    let lines = |of: fn(&HostKeyFact) -> &String| {
        facts.host_keys.iter().map(|key| of(key).clone()).collect::<Vec<_>>().join("\n")
    };
    let until = facts.certificate.as_ref().and_then(|certificate| certificate.until);
    member.shown(&Server {
        frame: member.frame(ask),
        t: texts(member),
        host: facts.sftp_host.clone(),
        port: facts.sftp_port,
        known_hosts: lines(|key| &key.known_hosts),
        sshfp: lines(|key| &key.sshfp),
        has_next: facts.host_keys.iter().any(|key| !key.in_use),
        keys: facts.host_keys.clone(),
        base_url: ask.site.config.portal.base_url.clone(),
        certificate: facts.certificate.as_ref().map(|one| one.sha256.clone()).unwrap_or_default(),
        certificate_until: until.map(|at| day(ask, member, at)).unwrap_or_default(),
    })
}
