//! Mail into a folder: one `.eml` file per message, whole or not there at all.
//! For trials, tests and relays that pick up files. Sends nothing itself.
#![expect(clippy::disallowed_methods, reason = "this adapter is the disk")]

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

use super::letter::{Letterhead, safe_id};
use crate::ports::mailer::{MailOutcome, Mailer, Message};

/// Writes each message as `<id>.eml`.
#[derive(Debug)]
pub struct FolderMailer {
    folder: PathBuf,
    letterhead: Letterhead,
}

impl FolderMailer {
    /// Mail goes into `folder`, made (0700) at the first message.
    #[must_use]
    pub const fn new(folder: PathBuf, letterhead: Letterhead) -> Self {
        Self { folder, letterhead }
    }

    fn store(&self, id: &str, bytes: &[u8]) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let unfinished = self.folder.join(format!(".{id}.tmp"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, self.folder.join(format!("{id}.eml")))?;
        File::open(&self.folder)?.sync_all()
    }
}

impl Mailer for FolderMailer {
    fn send(&self, message: &Message) -> MailOutcome {
        let letter = match self.letterhead.letter(message) {
            Ok(letter) => letter,
            Err(why) => return MailOutcome::Rejected(why),
        };
        let id = match safe_id(&message.id) {
            Ok(id) => id,
            Err(why) => return MailOutcome::Rejected(why),
        };
        match self.store(id, &letter.bytes) {
            Ok(()) => MailOutcome::Accepted,
            Err(error) => MailOutcome::Deferred(format!("cannot write into {}: {error}", self.folder.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::domain::names::EmailAddress;

    fn message(id: &str) -> Message {
        Message {
            id: id.to_owned(),
            to: EmailAddress::parse("jan@example.net").unwrap(),
            subject: "Ready".to_owned(),
            text: "One delivery.".to_owned(),
            html: "<p>One delivery.</p>".to_owned(),
            language: "en",
            date_seconds: 0,
        }
    }

    fn mailer(folder: PathBuf) -> FolderMailer {
        let from = EmailAddress::parse("portal@example.org").unwrap();
        FolderMailer::new(folder, Letterhead::new("Postkluis", &from).unwrap())
    }

    #[test]
    fn a_message_becomes_one_private_file_however_often_it_is_tried() {
        let home = tempfile::tempdir().unwrap();
        let mailer = mailer(home.path().join("mail"));
        assert_eq!(mailer.send(&message("a-1")), MailOutcome::Accepted);
        assert_eq!(mailer.send(&message("a-1")), MailOutcome::Accepted);
        let names: Vec<_> =
            std::fs::read_dir(home.path().join("mail")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["a-1.eml"]);
        let path = home.path().join("mail/a-1.eml");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(std::fs::read_to_string(&path).unwrap().contains("Message-ID: <a-1@example.org>"));
    }

    #[test]
    fn an_id_that_leaves_the_folder_is_rejected() {
        let home = tempfile::tempdir().unwrap();
        let outcome = mailer(home.path().join("mail")).send(&message("../a"));
        assert!(matches!(outcome, MailOutcome::Rejected(_)), "{outcome:?}");
        assert!(!home.path().join("a.eml").exists() && !home.path().join("mail").exists());
    }

    #[test]
    fn a_folder_that_cannot_be_written_defers() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("mail"), "a file").unwrap();
        let outcome = mailer(home.path().join("mail")).send(&message("a-1"));
        assert!(matches!(&outcome, MailOutcome::Deferred(why) if !why.contains("jan@")), "{outcome:?}");
    }
}
