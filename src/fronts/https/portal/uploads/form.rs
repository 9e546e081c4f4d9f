//! The form with which files are uploaded, and the one that replaces a file: no script is needed. The token of the
//! session comes before everything else in it, the product before the files.

use askama::Template;

use super::script::{self, Unfinished};
use super::take_in::MOST_FILES;
use super::{Place, texts, upload_id};
use crate::domain::names::ProductCode;
use crate::fronts::https::portal::form::Form;
use crate::fronts::https::portal::page::{Frame, shown_with_uploads};
use crate::fronts::https::portal::texts::{upload_form, upload_script, uploads};
use crate::fronts::https::portal::{Ask, Failure, Member, words};
use crate::fronts::https::reply::Reply;
use crate::operations::OneUpload;

#[derive(Template)]
#[template(path = "uploads/form.html", config = "src/fronts/https/portal/askama.toml")]
struct FilesForm {
    frame: Frame,
    t: &'static uploads::Texts,
    f: &'static upload_form::Texts,
    s: &'static upload_script::Texts,
    place: Place,
    token: String,
    title: &'static str,
    action: String,
    back: String,
    back_text: String,
    products: Vec<Choice>,
    /// The name of the file that is replaced.
    name: String,
    is_replacement: bool,
    most: String,
    most_files: usize,
    room: String,
    /// Where the script sends pieces, what it says, and which one it is.
    address: String,
    said: String,
    version: &'static str,
    /// What the caller can go on with.
    unfinished: Vec<Unfinished>,
}

struct Choice {
    value: String,
    text: String,
    is_chosen: bool,
}

/// The form for new files.
pub(in crate::fronts::https) fn ask_file(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (place, f) = (Place::of(ask, member)?, upload_form::Texts::of(member.guest.language));
    let chosen = ProductCode::parse(Form::read(ask.query.as_bytes()).field("product")).ok();
    let products = ask.site.operations.dropbox_products(&member.visit.caller)?;
    let products = products.iter().map(|product| Choice {
        value: product.code.to_string(),
        text: product.name.to_string(),
        is_chosen: chosen.as_ref() == Some(&product.code),
    });
    let (action, back) = (place.link(member, "new"), place.home.clone());
    let title = if place.client.is_empty() { f.title } else { f.title_for };
    showing(ask, member, place, (title, products.collect()), (action, back), "")
}

/// The form for a file that takes the place of another.
pub(in crate::fronts::https) fn ask_replacement(ask: &Ask, member: &Member) -> Result<Reply, Failure> {
    let (place, f) = (Place::of(ask, member)?, upload_form::Texts::of(member.guest.language));
    let found = ask.site.operations.seen_upload(&member.visit.caller, upload_id(ask)?)?;
    let OneUpload { seen, may_replace, .. } = found;
    if !may_replace {
        return super::one::too_late(ask, member);
    }
    let upload = &seen.view.upload;
    let product = Choice { value: upload.product.to_string(), text: seen.product_name.to_string(), is_chosen: true };
    let action = place.link(member, &format!("{}/replace", upload.id));
    let back = place.link(member, &upload.id.to_string());
    showing(ask, member, place, (f.replace_title, vec![product]), (action, back), upload.name.as_str())
}

fn showing(
    ask: &Ask,
    member: &Member,
    place: Place,
    (title, products): (&'static str, Vec<Choice>),
    (action, back): (String, String),
    name: &str,
) -> Result<Reply, Failure> {
    let (t, language) = (texts(member), member.guest.language);
    let room = ask.site.operations.upload_room(&member.visit.caller)?;
    let most = ask.site.config.uploads.max_file_bytes;
    let left = room.most_bytes.saturating_sub(room.used_bytes);
    let page = FilesForm {
        frame: member.frame(ask),
        t,
        f: upload_form::Texts::of(language),
        s: upload_script::Texts::of(language),
        token: member.visit.form_token.clone(),
        title,
        action,
        back,
        back_text: match (name, place.client.as_str()) {
            ("", "") => t.title.to_owned(),
            ("", client) => format!("{} {client}", t.title_of),
            (name, _) => name.to_owned(),
        },
        products,
        name: name.to_owned(),
        is_replacement: !name.is_empty(),
        most: words::size(language, most),
        most_files: MOST_FILES,
        room: words::size(language, left.min(most)),
        address: ask.api_base() + "/resumable-uploads",
        said: script::said(language),
        version: script::version(),
        unfinished: script::unfinished(ask, member, &place)?,
        place,
    };
    shown_with_uploads(&member.guest, &page)
}
