//! The configuration file that `init` writes: every key explained, with what
//! it may be and its default. Follows the one table of keys.

use std::fmt::Write as _;

use super::file::allowed;
use super::keys::{Key, Kind, SECTIONS, variable};

const WIDTH: usize = 96;

const HEAD: &str = "\
# Configuration of Postkluis.
#
# Every key is shown with its default. To change one, take away the # before
# it. Unknown keys are refused, so that a slip of the pen never goes unseen.
# Paths are relative to the folder of this file. Every key can be overridden
# by an environment variable: POSTKLUIS_MAIL__RELAY for relay in [mail].
# `postkluis check` looks the file over.
";

/// The commented `postkluis.toml`, listening where told. Keys at their default
/// stand behind `#`, directly before the name; explanations behind `# `.
#[must_use]
pub fn default_file_text(sftp_listen: &str, https_listen: &str) -> String {
    let mut text = HEAD.to_owned();
    for section in SECTIONS {
        text.push('\n');
        comment(&mut text, section.explain);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "[{}]", section.name);
        for key in section.keys {
            describe(&mut text, section.name, key);
            let listen = match (section.name, key.name) {
                ("sftp", "listen") => Some(sftp_listen),
                ("https", "listen") => Some(https_listen),
                _ => None,
            };
            let _ = match (listen, key.default) {
                (Some(listen), _) => writeln!(text, "{} = {}", key.name, quoted(listen)),
                (None, Some(default)) => writeln!(text, "#{} = {default}", key.name),
                (None, None) => writeln!(text, "#{} = \"\"", key.name),
            };
        }
    }
    text
}

fn describe(text: &mut String, section: &str, key: &Key) {
    text.push('\n');
    comment(text, key.explain);
    if !matches!(key.kind, Kind::Text) {
        comment(text, &format!("Allowed: {}.", allowed(key.kind)));
    }
    comment(text, &format!("Environment: {}", variable(section, key.name)));
}

fn comment(text: &mut String, words: &str) {
    let mut width = 0;
    for word in words.split_whitespace() {
        if width == 0 || width + word.len() + 1 > WIDTH {
            text.push_str(if width == 0 { "#" } else { "\n#" });
            width = 1;
        }
        text.push(' ');
        text.push_str(word);
        width += word.len() + 1;
    }
    text.push('\n');
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
