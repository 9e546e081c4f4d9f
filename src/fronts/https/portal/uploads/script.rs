//! The script with which files are uploaded piece by piece, what it says, and what it can go on with. Nothing depends
//! on it: without a script the form is sent as a whole.

use std::sync::LazyLock;

use data_encoding::HEXLOWER;
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, HeaderValue};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::Place;
use crate::domain::account::Language;
use crate::domain::names::ProductCode;
use crate::fronts::https::portal::page::last_day;
use crate::fronts::https::portal::texts::{upload_form, upload_script};
use crate::fronts::https::portal::{Ask, Failure, Member, words};
use crate::fronts::https::reply::Reply;

/// The script, as it lies beside this file.
const SCRIPT: &str = include_str!("uploads.js");

/// The first half of its SHA-256.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let digest = Sha256::digest(SCRIPT);
    HEXLOWER.encode(digest.get(..16).unwrap_or_default())
});

/// An upload that is not whole yet.
pub(super) struct Unfinished {
    pub(super) link: String,
    pub(super) name: String,
    pub(super) product: String,
    /// How much of it came.
    pub(super) came: String,
    /// Until which day it can be gone on with.
    pub(super) until: String,
}

/// Which script it is: another one has another address, so that browsers keep each for good.
pub(super) fn version() -> &'static str {
    &VERSION
}

/// The script. Asked for by its version it never changes; without one it is asked for again soon.
pub(in crate::fronts::https) fn script(ask: &Ask) -> Result<Reply, Failure> {
    let is_this = ask.query.strip_prefix("v=") == Some(version());
    if !is_this && !ask.query.starts_with("v=") {
        ask.query().finish()?;
    }
    // of a page that was made before the server was renewed
    let lasts = HeaderValue::from_static(if is_this { "max-age=31536000, immutable" } else { "no-cache" });
    Ok(Reply::text(StatusCode::OK, "text/javascript; charset=utf-8", SCRIPT).with(CACHE_CONTROL, lasts))
}

/// What the script says, as it is laid into the page.
pub(super) fn said(language: Language) -> String {
    let (s, f) = (upload_script::Texts::of(language), upload_form::Texts::of(language));
    json!({
        "waiting": s.waiting, "running": s.running, "lost": s.lost, "paused": s.paused, "failed": s.failed,
        "done": s.done, "pause": s.pause, "resume": s.resume, "again": s.again, "cancel": s.cancel,
        "remove": s.remove, "progress": s.progress, "far": s.far, "left": s.left, "soon": s.soon, "found": s.found,
        "lostWhy": s.lost_why, "noConnection": s.no_connection, "signedOut": s.signed_out, "gone": s.gone,
        "other": s.other, "refused": s.refused, "unreadable": s.unreadable, "sure": s.sure, "removed": s.removed,
        "notRemoved": s.not_removed, "chosen": s.chosen,
        "wrongName": format!("{} {}", f.wrong_name, f.name_hint), "otherName": f.other_name, "taken": f.name_taken,
        "late": f.replaced_late, "tooLarge": f.too_large, "tooFull": f.too_full, "noSpace": f.no_space,
        "noRight": f.no_right,
    })
    .to_string()
}

/// What the member can go on with, whatever door it was begun at.
pub(super) fn unfinished(ask: &Ask, member: &Member, place: &Place) -> Result<Vec<Unfinished>, Failure> {
    let (operations, language) = (&ask.site.operations, member.guest.language);
    let s = upload_script::Texts::of(language);
    let products = operations.dropbox_products(&member.visit.caller)?;
    let own = operations.own_unfinished(&member.visit.caller)?;
    let rows = own.iter().map(|announced| {
        let upload = &announced.view.upload;
        let name_of = |code: &ProductCode| {
            products.iter().find(|product| product.code == *code).map(|product| product.name.to_string())
        };
        let came = words::size(language, upload.size_bytes);
        Unfinished {
            link: place.link(member, &upload.id.to_string()),
            name: announced.name().to_string(),
            product: name_of(&upload.product).unwrap_or_else(|| upload.product.to_string()),
            came: match announced.whole_bytes() {
                Some(whole) => format!("{came} {} {}", s.came_of, words::size(language, whole)),
                None => came,
            },
            until: last_day(operations, language, upload.unfinished_until),
        }
    });
    Ok(rows.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_has_every_text_that_it_says() {
        let said: serde_json::Value = serde_json::from_str(&said(Language::Dutch)).unwrap();
        let texts = said.as_object().unwrap();
        let mut used: Vec<&str> = SCRIPT
            .split("texts.")
            .skip(1)
            .filter_map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric()).next())
            .collect();
        used.extend(["waiting", "running", "lost", "paused", "failed", "done"]);
        for name in &used {
            assert!(texts.contains_key(*name), "{name}");
        }
        for name in texts.keys() {
            assert!(used.contains(&name.as_str()), "{name} is said nowhere");
        }
    }
}
