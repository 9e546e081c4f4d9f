//! Which paths a Rust source text names: `use` trees, also of several lines and
//! nested, and paths in bodies, made absolute from `crate`, `self` and `super`.
//! Comments, strings and characters do not count. Not a compiler: it reads words.

/// One path that a file names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NamedPath {
    /// From the crate's root (`["crate", "domain", "names"]`) or from an outside crate (`["std", "fs"]`).
    pub(crate) segments: Vec<String>,
    /// The line, from 1.
    pub(crate) line: usize,
    /// Whether it stands in a module for tests.
    pub(crate) in_tests: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Word {
    Name(String),
    Joint,
    Sign(char),
}

struct Token {
    word: Word,
    line: usize,
}

/// The module that a file under `src/` is: `src/fronts/sftp/mod.rs` → `["fronts", "sftp"]`.
pub(crate) fn module_of(path: &str) -> Vec<String> {
    let inner = path.strip_prefix("src/").unwrap_or(path).trim_end_matches(".rs");
    let mut module: Vec<String> = inner.split('/').map(str::to_owned).collect();
    if module.last().is_some_and(|name| name == "mod" || name == "lib" || name == "main") {
        module.pop();
    }
    module
}

/// Every path of two or more segments, and every single name of a `use`.
pub(crate) fn named_paths(module: &[String], text: &str) -> Vec<NamedPath> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    let mut inside: Vec<(String, usize)> = Vec::new();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match &token.word {
            Word::Sign('{') => depth += 1,
            Word::Sign('}') => {
                depth = depth.saturating_sub(1);
                while inside.last().is_some_and(|(_, from)| *from >= depth) {
                    inside.pop();
                }
            }
            Word::Name(name) if name == "mod" => {
                if let (Some(Word::Name(inner)), Some(Word::Sign('{'))) = (word(&tokens, at + 1), word(&tokens, at + 2))
                {
                    inside.push((inner.clone(), depth));
                }
            }
            Word::Name(name) => {
                let opens_use = name == "use";
                let starts_path = word(&tokens, at + 1) == Some(&Word::Joint)
                    && (at == 0 || !matches!(word(&tokens, at - 1), Some(Word::Joint | Word::Sign('.'))));
                if opens_use || starts_path {
                    let mut place = module.to_vec();
                    place.extend(inside.iter().map(|(name, _)| name.clone()));
                    let in_tests = place.iter().any(|part| part == "tests" || part.ends_with("_tests"));
                    let mut paths = Vec::new();
                    // A leading `::` names an outside crate all the same.
                    let from = at + usize::from(opens_use);
                    let from = from + usize::from(opens_use && word(&tokens, from) == Some(&Word::Joint));
                    let next = tree(&tokens, from, &[], &mut paths);
                    found.extend(paths.into_iter().filter(|path| !path.0.is_empty()).map(|(path, line)| NamedPath {
                        segments: absolute(&place, path),
                        line,
                        in_tests,
                    }));
                    at = next.max(at + 1);
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Whether `wanted` stands in the text as a word of the language, outside tests' modules or not.
pub(crate) fn lines_with_word(text: &str, wanted: &str) -> Vec<usize> {
    let is_wanted = |token: &&Token| matches!(&token.word, Word::Name(name) if name == wanted);
    tokens(text).iter().filter(is_wanted).map(|token| token.line).collect()
}

fn word(tokens: &[Token], at: usize) -> Option<&Word> {
    tokens.get(at).map(|token| &token.word)
}

/// Reads one `use` tree or path from `at`; returns where it ends.
fn tree(tokens: &[Token], mut at: usize, before: &[String], found: &mut Vec<(Vec<String>, usize)>) -> usize {
    let mut path = before.to_vec();
    let mut line = tokens.get(at).map_or(0, |token| token.line);
    loop {
        match word(tokens, at) {
            Some(Word::Name(name)) => {
                line = tokens.get(at).map_or(line, |token| token.line);
                path.push(name.clone());
                at += 1;
            }
            Some(Word::Sign('*')) => {
                at += 1;
                break;
            }
            Some(Word::Sign('{')) => {
                at += 1;
                while !matches!(word(tokens, at), None | Some(Word::Sign('}'))) {
                    let next = tree(tokens, at, &path, found);
                    at = next.max(at + 1);
                    while !matches!(word(tokens, at), None | Some(Word::Sign(',' | '}'))) {
                        at += 1; // `as name`
                    }
                    if word(tokens, at) == Some(&Word::Sign(',')) {
                        at += 1;
                    }
                }
                return at + 1;
            }
            _ => break,
        }
        if word(tokens, at) != Some(&Word::Joint) {
            break;
        }
        at += 1;
    }
    found.push((path, line));
    at
}

/// Makes a path absolute: `crate::…`, or the outside crate's own name first.
fn absolute(place: &[String], path: Vec<String>) -> Vec<String> {
    let mut base = place.to_vec();
    let mut segments = path.into_iter().peekable();
    let mut inner = false;
    match segments.peek().map(String::as_str) {
        Some("crate" | "postkluis") => {
            segments.next();
            base.clear();
            inner = true;
        }
        Some("self") => {
            segments.next();
            inner = true;
        }
        _ => {}
    }
    while segments.peek().is_some_and(|segment| segment == "super") {
        segments.next();
        base.pop();
        inner = true;
    }
    if inner {
        let mut absolute = vec!["crate".to_owned()];
        absolute.extend(base);
        absolute.extend(segments.filter(|segment| segment != "self"));
        absolute
    } else {
        segments.collect()
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let signs: Vec<char> = text.chars().collect();
    let peek = |at: usize| signs.get(at).copied().unwrap_or('\0');
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < signs.len() {
        let (here, next) = (peek(at), peek(at + 1));
        let from = at;
        match here {
            '/' if next == '/' => {
                while at < signs.len() && peek(at) != '\n' {
                    at += 1;
                }
            }
            '/' if next == '*' => {
                let mut depth = 0_usize;
                while at < signs.len() {
                    match (peek(at), peek(at + 1)) {
                        ('/', '*') => (depth, at) = (depth + 1, at + 2),
                        ('*', '/') => (depth, at) = (depth - 1, at + 2),
                        _ => at += 1,
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
            '"' => at = after_text(&signs, at),
            '\'' => at = after_character(&signs, at),
            ':' if next == ':' => {
                found.push(Token { word: Word::Joint, line });
                at += 2;
            }
            _ if here.is_alphabetic() || here == '_' => {
                while peek(at).is_alphanumeric() || peek(at) == '_' {
                    at += 1;
                }
                let name: String = signs.get(from..at).unwrap_or_default().iter().collect();
                match (name.as_str(), peek(at)) {
                    ("r" | "br" | "cr", '"' | '#') if raw_text(&signs, at) => at = after_raw_text(&signs, at),
                    ("r", '#') => at += 1, // a raw name: the name itself follows
                    ("b" | "c", '"') => {}
                    _ => found.push(Token { word: Word::Name(name), line }),
                }
            }
            _ => {
                if !here.is_whitespace() {
                    found.push(Token { word: Word::Sign(here), line });
                }
                at += 1;
            }
        }
        line += signs.get(from..at).unwrap_or_default().iter().filter(|sign| **sign == '\n').count();
    }
    found
}

fn after_text(signs: &[char], mut at: usize) -> usize {
    at += 1;
    while let Some(sign) = signs.get(at) {
        at += match sign {
            '\\' => 2,
            '"' => return at + 1,
            _ => 1,
        };
    }
    at
}

/// A character ends with a quote; a lifetime has none.
fn after_character(signs: &[char], at: usize) -> usize {
    let peek = |at: usize| signs.get(at).copied().unwrap_or('\0');
    if peek(at + 1) == '\\' {
        let mut end = at + 3;
        while end < signs.len() && peek(end) != '\'' {
            end += 1;
        }
        end + 1
    } else if peek(at + 2) == '\'' {
        at + 3
    } else {
        at + 1
    }
}

fn raw_text(signs: &[char], mut at: usize) -> bool {
    while signs.get(at) == Some(&'#') {
        at += 1;
    }
    signs.get(at) == Some(&'"')
}

fn after_raw_text(signs: &[char], mut at: usize) -> usize {
    let mut marks = 0;
    while signs.get(at) == Some(&'#') {
        (marks, at) = (marks + 1, at + 1);
    }
    at += 1;
    while at < signs.len() {
        let closes = signs.get(at) == Some(&'"') && (1..=marks).all(|mark| signs.get(at + mark) == Some(&'#'));
        at += 1;
        if closes {
            return at + marks;
        }
    }
    at
}

mod tests {
    use super::{lines_with_word, module_of, named_paths};

    fn named(module: &[&str], text: &str) -> Vec<String> {
        let module: Vec<String> = module.iter().map(|part| (*part).to_owned()).collect();
        named_paths(&module, text).into_iter().map(|path| path.segments.join("::")).collect()
    }

    #[test]
    fn a_group_over_several_lines_is_read_whole() {
        let text = "use crate::{\n    domain::names::LoginName,\n    ports::{clock, vault::{self, Vault as V}},\n};\nuse std::fs;";
        let wanted = [
            "crate::domain::names::LoginName",
            "crate::ports::clock",
            "crate::ports::vault",
            "crate::ports::vault::Vault",
            "std::fs",
        ];
        assert_eq!(named(&["operations"], text), wanted);
    }

    #[test]
    fn self_and_super_are_made_absolute() {
        let text = "use super::shelf::Shelf; use super::super::https; use self::x::Y; mod tests { use super::*; use super::super::z; }";
        let wanted = [
            "crate::fronts::sftp::shelf::Shelf",
            "crate::fronts::https",
            "crate::fronts::sftp::auth::x::Y",
            "crate::fronts::sftp::auth",
            "crate::fronts::sftp::z",
        ];
        assert_eq!(named(&["fronts", "sftp", "auth"], text), wanted);
    }

    #[test]
    fn a_module_ends_with_its_brace() {
        let text = "mod tests { fn f() { if a { b } } } fn g() { super::h() }";
        let found = named_paths(&["fronts".to_owned(), "cli".to_owned()], text);
        assert_eq!(found.len(), 1);
        assert!(found.iter().all(|path| !path.in_tests && path.segments.join("::") == "crate::fronts::h"));
    }

    #[test]
    fn paths_in_bodies_and_types_count() {
        let text = "fn f(x: &dyn crate::ports::clock::Clock) -> Vec<crate::domain::ids::Id> { postkluis::assembly::run::<std::fs::File>() }";
        let wanted = ["crate::ports::clock::Clock", "crate::domain::ids::Id", "crate::assembly::run", "std::fs::File"];
        assert_eq!(named(&["main"], text), wanted);
    }

    #[test]
    fn comments_texts_and_characters_do_not_count() {
        let text = "// crate::a::b\n/* crate::c /* crate::d */ */ let x = \"crate::e \\\" crate::f\"; let y = r#\"crate::g\" crate::h\"#; \
                    let z = '\"'; let t: &'static str = b\"crate::i\"; crate::j::k();";
        assert_eq!(named(&["domain"], text), ["crate::j::k"]);
        assert_eq!(lines_with_word("// async\n\"async\"\n async fn f() {}", "async"), [3]);
    }

    #[test]
    fn lines_and_modules_are_told() {
        let found = named_paths(&module_of("src/adapters/mod.rs"), "\n\n/* \n */ use super::domain::{\n a,\n b};");
        let seen: Vec<_> = found.iter().map(|path| (path.segments.join("::"), path.line)).collect();
        assert_eq!(seen, [("crate::domain::a".to_owned(), 5), ("crate::domain::b".to_owned(), 6)]);
        assert_eq!(module_of("src/fronts/sftp/auth.rs"), ["fronts", "sftp", "auth"]);
        assert_eq!(module_of("src/lib.rs"), Vec::<String>::new());
    }
}
