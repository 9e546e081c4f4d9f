//! Holds every file of the project against the rules of `docs/STYLE.md` that a
//! reader of text can check. What the compiler or clippy can check is theirs.

use std::path::Path;

use crate::support::project::{SourceFile, files_ending, root, text_files};

/// Lines of one Rust file at most; 400 are wanted.
const MOST_LINES: usize = 600;
/// Lines of the `//!` that opens a file at most: what it holds, what it must not know.
const MOST_OPENING_LINES: usize = 5;
/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 7] = ["utils", "util", "helpers", "helper", "common", "manager", "types"];
/// Marks of unfinished work, spelled apart so that this file does not hold them.
const UNFINISHED: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
];
/// Paths of somebody's machine.
const MACHINE_PATHS: [&str; 5] = [
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/wo", "rk/"),
    concat!("/Us", "ers/"),
    concat!("/tmp/", "bash"),
];
/// Homes that may be named: those of manuals and of tests that only compare paths.
const NOBODYS_HOMES: [&str; 3] = [concat!("/ho", "me/you"), concat!("/ho", "me/operator"), concat!("/ho", "me/keys")];
/// Places that crates or packages come from; the lock file alone names one.
const REGISTRIES: [&str; 4] = [
    concat!("static.", "crates.io"),
    concat!("index.", "crates.io"),
    concat!("files.", "pythonhosted"),
    concat!("registry.", "npmjs"),
];
/// Files that tools write.
const WRITTEN_BY_TOOLS: [&str; 2] = ["Cargo.lock", "package-lock.json"];
/// The lint that keeps every `match` on domain enums exhaustive.
const NO_WILDCARD: &str = "#![deny(clippy::wildcard_enum_match_arm)]";
/// What a newcomer types first, and what tests everything.
const TWO_COMMANDS: [&str; 2] = ["cargo run --release -- demo", "tests/run"];

fn rust_files() -> Vec<SourceFile> {
    let files: Vec<_> =
        ["src", "tests", "benches"].into_iter().flat_map(|folder| files_ending(folder, ".rs")).collect();
    assert!(files.len() > 50, "only {} Rust files found: the walk is wrong", files.len());
    files
}

fn none(wrongs: Vec<String>) {
    assert!(wrongs.is_empty(), "see docs/STYLE.md:\n{}", wrongs.join("\n"));
}

fn too_long(file: &SourceFile) -> Option<String> {
    let lines = file.text.lines().count();
    (lines > MOST_LINES)
        .then(|| format!("{}: {lines} lines, {MOST_LINES} at most: which part deserves a file of its own?", file.path))
}

fn opening_wrong(file: &SourceFile) -> Option<String> {
    let opening = file.text.lines().take_while(|line| line.starts_with("//!")).count();
    match opening {
        0 => Some(format!("{}: does not open with `//!`: what it holds and what it must not know", file.path)),
        // The map of the crate may be longer.
        _ if opening > MOST_OPENING_LINES && file.path != "src/lib.rs" => {
            Some(format!("{}: its `//!` has {opening} lines, {MOST_OPENING_LINES} at most", file.path))
        }
        _ => None,
    }
}

fn empty_name(file: &SourceFile) -> Option<String> {
    let path = file.path.strip_suffix(".rs").unwrap_or(&file.path);
    let empty = |part: &str| {
        EMPTY_NAMES
            .iter()
            .any(|name| part == *name || part.ends_with(&format!("_{name}")) || part.starts_with(&format!("{name}_")))
    };
    path.split('/')
        .find(|part| empty(part))
        .map(|part| format!("{}: `{part}` says nothing of what is inside", file.path))
}

fn getter_wrongs(file: &SourceFile) -> Vec<String> {
    let is_getter = |line: &str| line.trim_start().starts_with("pub ") && line.contains(concat!("fn g", "et_"));
    numbered(file, is_getter, "a getter has the name of what it tells, without the prefix")
}

fn unfinished(file: &SourceFile) -> Vec<String> {
    let is_marked = |line: &str| {
        UNFINISHED.iter().any(|mark| line.match_indices(mark).any(|(at, _)| stands_alone(line, at, mark.len())))
    };
    numbered(file, is_marked, "marks unfinished work: finish it, or say in the manual what is not there")
}

fn machine_path(file: &SourceFile) -> Vec<String> {
    let is_path = |line: &str| {
        MACHINE_PATHS.iter().any(|path| {
            line.match_indices(path).any(|(at, _)| {
                let rest = line.get(at..).unwrap_or_default();
                let before = line.get(..at).unwrap_or_default().chars().next_back();
                let starts = !before.is_some_and(|sign| sign.is_alphanumeric() || "._-*}/>".contains(sign));
                starts && !NOBODYS_HOMES.iter().any(|home| rest.starts_with(home))
            })
        })
    };
    numbered(file, is_path, "names a path of somebody's machine")
}

fn registry(file: &SourceFile) -> Vec<String> {
    numbered(file, |line| REGISTRIES.iter().any(|host| line.contains(host)), "names a registry's host")
}

fn numbered(file: &SourceFile, is_wrong: impl Fn(&str) -> bool, why: &str) -> Vec<String> {
    let wrong = file.text.lines().enumerate().filter(|(_, line)| is_wrong(line));
    wrong.map(|(at, line)| format!("{}:{}: {why}: {}", file.path, at + 1, line.trim())).collect()
}

fn stands_alone(line: &str, at: usize, length: usize) -> bool {
    let is_letter = |sign: Option<char>| sign.is_some_and(|sign| sign.is_alphanumeric() || sign == '_');
    let before = line.get(..at).unwrap_or_default().chars().next_back();
    let after = line.get(at + length..).unwrap_or_default().chars().next();
    !is_letter(before) && (line.get(..at + length).is_some_and(|start| start.ends_with('(')) || !is_letter(after))
}

/// Links of a Markdown text that stay inside the project, without their anchors.
fn inner_links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        let after = line.split("](").skip(1);
        let in_line = after.filter_map(|rest| rest.split(')').next());
        let by_reference = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|(_, target)| target);
        links.extend(in_line.chain(by_reference).map(|link| {
            let link = link.split_whitespace().next().unwrap_or_default();
            link.split('#').next().unwrap_or_default().trim_matches(['<', '>']).to_owned()
        }));
    }
    links.retain(|link| !link.is_empty() && !link.contains("://") && !link.starts_with("mailto:"));
    links
}

fn dead_links(file: &SourceFile, exists: impl Fn(&Path) -> bool) -> Vec<String> {
    let folder = Path::new(&file.path).parent().unwrap_or_else(|| Path::new(""));
    let dead = inner_links(&file.text).into_iter().filter(|link| !exists(&folder.join(link)));
    dead.map(|link| format!("{}: nothing is at `{link}`", file.path)).collect()
}

#[test]
fn files_are_short() {
    none(rust_files().iter().filter_map(too_long).collect());
}

#[test]
fn files_say_what_they_hold() {
    none(rust_files().iter().filter_map(opening_wrong).collect());
}

#[test]
fn names_say_something() {
    let mut wrongs: Vec<String> = rust_files().iter().filter_map(empty_name).collect();
    wrongs.extend(rust_files().iter().flat_map(getter_wrongs));
    none(wrongs);
}

#[test]
fn nothing_is_left_unfinished() {
    let unfinished_in = |file: &SourceFile| if by_tools(file) { Vec::new() } else { unfinished(file) };
    none(text_files().iter().flat_map(unfinished_in).collect());
}

#[test]
fn no_machine_and_no_registry_is_named() {
    let ours = text_files().into_iter().filter(|file| !by_tools(file));
    none(ours.flat_map(|file| [machine_path(&file), registry(&file)].concat()).collect());
}

fn by_tools(file: &SourceFile) -> bool {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    WRITTEN_BY_TOOLS.contains(&name) || file.path.starts_with("proptest-regressions/")
}

#[test]
fn links_lead_somewhere() {
    let pages = text_files().into_iter().filter(|file| file.path.ends_with(".md"));
    none(pages.flat_map(|page| dead_links(&page, |path| root().join(path).exists())).collect());
}

#[test]
fn the_readme_shows_the_two_commands() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    for command in TWO_COMMANDS {
        assert!(readme.contains(command), "README.md does not show `{command}`");
    }
}

#[test]
fn matches_on_domain_enums_have_no_wildcard() {
    let must_deny = |file: &SourceFile| file.path == "src/domain/mod.rs" || is_reply(file);
    let files: Vec<_> = files_ending("src", ".rs").into_iter().filter(must_deny).collect();
    assert!(files.len() > 1, "src/domain/mod.rs and each reply.rs are looked for: only {} found", files.len());
    let lacking = files.iter().filter(|file| !file.text.lines().any(|line| line == NO_WILDCARD));
    none(lacking.map(|file| format!("{}: lacks {NO_WILDCARD}", file.path)).collect());
}

fn is_reply(file: &SourceFile) -> bool {
    file.path.starts_with("src/fronts/") && file.path.ends_with("/reply.rs")
}

#[test]
fn every_test_file_is_part_of_the_binary() {
    let main = include_str!("main.rs");
    for file in files_ending("tests/it", ".rs") {
        let name = file.path.trim_start_matches("tests/it/").trim_end_matches(".rs");
        let module = name.split('/').next().unwrap_or(name);
        assert!(
            module == "main" || main.lines().any(|line| line == format!("mod {module};")),
            "{} is compiled by nobody: tests/it/main.rs lacks `mod {module};`",
            file.path
        );
    }
}

mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn length_and_opening_are_seen() {
        assert!(too_long(&file("src/a.rs", &"x\n".repeat(MOST_LINES + 1))).is_some());
        assert!(too_long(&file("src/a.rs", &"x\n".repeat(MOST_LINES))).is_none());
        assert!(opening_wrong(&file("src/a.rs", "use x;\n//! late")).is_some());
        assert!(opening_wrong(&file("src/a.rs", &"//! long\n".repeat(MOST_OPENING_LINES + 1))).is_some());
        assert!(opening_wrong(&file("src/a.rs", "//! Short.\n\nuse x;")).is_none());
    }

    #[test]
    fn empty_names_are_seen() {
        for path in ["src/utils.rs", "src/fronts/common/mod.rs", "src/http_helpers.rs", "tests/it/types.rs"] {
            assert!(empty_name(&file(path, "")).is_some(), "{path}");
        }
        assert!(empty_name(&file("src/domain/product.rs", "")).is_none());
        assert_eq!(getter_wrongs(&file("src/a.rs", concat!("    pub const fn g", "et_name() {}"))).len(), 1);
    }

    #[test]
    fn marks_paths_and_hosts_are_seen() {
        assert_eq!(unfinished(&file("a", concat!("// TO", "DO later\nfine"))).len(), 1);
        assert_eq!(unfinished(&file("a", concat!("todo", "!()"))).len(), 1);
        assert!(unfinished(&file("a", concat!("TO", "DOS and mastodons, XX", "XX"))).is_empty());
        assert_eq!(machine_path(&file("a", concat!("see /wo", "rk/x"))).len(), 1);
        assert_eq!(machine_path(&file("a", concat!("\"/ho", "me/jan/x\""))).len(), 1);
        assert!(machine_path(&file("a", concat!("/ho", "me/you/.ssh, a/wo", "rk/b"))).is_empty());
        assert_eq!(registry(&file("a", concat!("https://static.", "crates.io/x"))).len(), 1);
    }

    #[test]
    fn dead_links_are_seen() {
        let page =
            file("docs/A.md", "[a](B.md#x) [w](https://example.org) [h](#here)\n```\n[no](link)\n```\n[r]: ../C.md");
        assert_eq!(inner_links(&page.text), ["B.md", "../C.md"]);
        assert!(dead_links(&page, |_| true).is_empty());
        assert_eq!(dead_links(&page, |path| path == Path::new("docs/B.md")).len(), 1);
    }
}
