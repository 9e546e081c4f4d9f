//! What the checks of participant files find in bytes, by what is declared, however the bytes are cut into blocks.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use postkluis::adapters::checker_stream::{StreamChecker, WhenDown};
use postkluis::config::check_plans::parse;
use postkluis::domain::check_plan::CheckPlan;
use postkluis::domain::names::{OrganisationCode, ProductCode, UploadName};
use postkluis::domain::verdict::CheckVerdict;
use postkluis::ports::checker::{Checked, Checker};
use postkluis::ports::failure::{Failure, Fault};
use postkluis::ports::scanner::{Scan, Scanned, Scanner};

const CSV: &str = "[records]\nform = 'csv'\nnames_first = true\ncolumns = [
    {name = 'bsn', kind = 'citizen-number', required = true},
    {name = 'day', kind = 'date', date_form = 'yyyymmdd'},
    {name = 'note', max_chars = 5},
]\nlast = {mark = 'T', count_column = 2}\n";

fn file(name: &str, size_bytes: usize) -> Checked {
    Checked {
        product: ProductCode::parse("suag").unwrap(),
        organisation: OrganisationCode::parse("duinstad").unwrap(),
        client_marks: vec!["duinstad".to_owned(), "12345678".to_owned()],
        last_sequence: None,
        name: UploadName::parse(name).unwrap(),
        size_bytes: Some(size_bytes as u64),
    }
}

/// Gives a few bytes at a time, so that everything is cut somewhere.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let length = self.1.min(self.0.len()).min(into.len());
        let (now, later) = self.0.split_at(length);
        into[..length].copy_from_slice(now);
        self.0 = later;
        Ok(length)
    }
}

fn verdict_of(plan: &CheckPlan, name: &str, bytes: &[u8]) -> CheckVerdict {
    let whole = judge(plan, &file(name, bytes.len()), bytes).unwrap();
    for step in [1, 2, 7] {
        assert_eq!(judge(plan, &file(name, bytes.len()), Slow(bytes, step)).unwrap(), whole, "in steps of {step}");
    }
    whole
}

/// The faults as `line:column code`.
fn faults(declared: &str, bytes: &[u8]) -> Vec<String> {
    let verdict = verdict_of(&parse(declared).unwrap(), "a.csv", bytes);
    assert_eq!(verdict.is_accepted(), verdict.fault_count() == 0);
    verdict.faults().iter().map(|fault| format!("{}:{} {}", fault.line, fault.column, fault.code)).collect()
}

fn judge(plan: &CheckPlan, file: &Checked, mut bytes: impl Read) -> Result<CheckVerdict, Failure> {
    StreamChecker::new(BTreeMap::from([(file.product.clone(), plan.clone())])).check(file, &mut bytes)
}

const NONE: [&str; 0] = [];

#[test]
fn records_of_csv_are_held_against_their_columns() {
    let good = "bsn;day;note\n123456782;20261130;abc\n111222333;;\"a;b\"\nT;2\n";
    assert_eq!(faults(CSV, good.as_bytes()), NONE);
    let verdict = verdict_of(&parse(CSV).unwrap(), "a.csv", good.as_bytes());
    assert_eq!(verdict.counts(), [("lines".to_owned(), 4), ("records".to_owned(), 2)]);
    let bad = "bsn;dag;note\n123456789;20261131;abcdef\n;;é\u{e9}é\u{e9}éé\n1;2\nT;9\nT;3\n";
    let expected = [
        "1:2 column-names",
        "2:1 not-a-citizen-number",
        "2:2 not-a-date",
        "2:3 too-long",
        "3:1 missing",
        "3:3 too-long",
        "4:0 column-count",
        "5:2 record-count",
        "6:0 after-the-last-record",
    ];
    assert_eq!(faults(CSV, bad.as_bytes()), expected);
    assert_eq!(faults(CSV, b"bsn;day;note\n123456782;;"), ["0:0 no-last-record"]);
    assert_eq!(faults(CSV, b""), ["0:0 no-last-record", "0:0 column-names"]);
}

#[test]
fn a_quoted_line_end_keeps_the_lines_right() {
    let text = "bsn;day;note\n123456782;;\"a\nb\"\nx;;\nT;2\n";
    assert_eq!(faults(CSV, text.as_bytes()), ["4:1 not-a-citizen-number"]);
}

#[test]
fn a_value_never_stands_in_a_verdict() {
    let verdict = verdict_of(&parse(CSV).unwrap(), "a.csv", b"bsn;day;note\n123456789;999999999;\nT;1\n");
    let told = format!("{verdict:?}");
    assert!(!told.contains("123456789") && !told.contains("999999999"), "{told}");
}

#[test]
fn records_of_fixed_width_are_cut_by_characters() {
    let declared = "[records]\nform = 'fixed'\ncolumns = [
        {name = 'kind', width = 1}, {name = 'name', width = 4}, {name = 'number', kind = 'integer', width = 3},
    ]\nfirst = {mark = 'V', widths = [1, 8], client_column = 2}\nlast = {mark = 'S', widths = [1, 4], count_column = 2}\n";
    assert_eq!(faults(declared, "Vduinstad\nDabcd 12\nDéé  001\nS0002\n".as_bytes()), NONE);
    let bad = "Vbergdorp\nDabcd 1\nDabcd1 2\nDabcd  xy\nS0001\n";
    let expected =
        ["1:2 wrong-client", "2:0 record-length", "3:3 not-an-integer", "4:0 record-length", "5:2 record-count"];
    assert_eq!(faults(declared, bad.as_bytes()), expected);
    assert_eq!(faults(declared, b"Dabcd 12\n"), ["0:0 no-last-record", "1:1 no-first-record"]);
}

#[test]
fn text_is_what_it_says_it_is() {
    assert_eq!(faults("[text]", "a\né\n".as_bytes()), NONE);
    assert_eq!(faults("[text]", b"a\nb\n\xE9\n"), ["3:0 encoding"]);
    assert_eq!(faults("[text]", b"a\n\xC3"), ["2:0 encoding"]);
    assert_eq!(faults("[text]", b"a\n\x00\n"), ["2:0 control-character"]);
    assert_eq!(faults("[text]\nencoding = 'iso-8859-1'", b"a\n\xE9\n"), NONE);
    assert_eq!(faults("[text]\nencoding = 'ascii'", "a\né\n".as_bytes()), ["2:0 encoding"]);
    assert_eq!(faults("[text]\nbyte_order_mark = 'required'", b"a"), ["1:0 no-byte-order-mark"]);
    assert_eq!(faults("[text]\nbyte_order_mark = 'refused'", b"\xEF\xBB\xBFa"), ["1:0 byte-order-mark"]);
    assert_eq!(faults("[text]\nbyte_order_mark = 'required'\nmax_line_bytes = 1", b"\xEF\xBB\xBFa"), NONE);
}

#[test]
fn line_ends_are_what_they_must_be() {
    for (declared, text, expected) in [
        ("[text]", "a\r\nb\r\n", vec![]),
        ("[text]", "a\r\nb\n", vec!["2:0 line-end"]),
        ("[text]", "a\rb\n", vec!["1:0 line-end"]),
        ("[text]", "a\r\r\n", vec!["1:0 line-end"]),
        ("[text]", "a\nb\r", vec!["2:0 line-end"]),
        ("[text]\nline_ends = 'crlf'", "a\nb\r\n", vec!["1:0 line-end"]),
        ("[text]\nline_ends = 'lf'", "a\nb\r\n", vec!["2:0 line-end"]),
        ("[text]\nlast_line_ends = true", "a\nb", vec!["2:0 line-end"]),
        ("[text]\nmax_line_bytes = 2", "ab\nabc\nabcd", vec!["2:0 line-too-long", "3:0 line-too-long"]),
    ] {
        assert_eq!(faults(declared, text.as_bytes()), expected, "{declared} {text:?}");
    }
}

#[test]
fn names_and_sizes() {
    let plan = parse("[name]\npattern = 'x_{client}.csv'\nextensions = ['csv']\n[size]\nmin_bytes = 2\nmax_bytes = 3")
        .unwrap();
    let codes = |name: &str, bytes: &[u8]| -> Vec<String> {
        verdict_of(&plan, name, bytes).faults().iter().map(|fault| fault.code.clone()).collect()
    };
    assert_eq!(codes("x_duinstad.csv", b"ab"), NONE);
    assert_eq!(codes("x_bergdorp.csv", b"abcd"), ["wrong-client-in-name", "too-large"]);
    assert_eq!(codes("y.txt", b""), ["extension", "name", "empty"]);
}

#[test]
fn json_and_xml_are_well_formed() {
    for (declared, good, bad) in [
        ("content = 'json'", "{\"a\": [1, 2]}\n", "{\"a\": [1, 2}\n"),
        ("content = 'json'", "[]", "[] []"),
        ("content = 'xml'", "<?xml version=\"1.0\"?>\n<a b=\"c\"><d/>text<!-- x --></a>\n", "<a><b></a></b>"),
        ("content = 'xml'", "<a/>", "<a/><b/>"),
        ("content = 'xml'", "<a>&amp;</a>", "<a>"),
        ("content = 'xml'", "<a/>", ""),
        ("content = 'xml'", "<a/>", "text<a/>"),
        ("content = 'xml'", "<a/>", "<a b=\"1\" b=\"2\"/>"),
        ("content = 'xml'", "<a/>", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>"),
    ] {
        assert_eq!(faults(declared, good.as_bytes()), NONE, "{good}");
        assert_eq!(faults(declared, bad.as_bytes()).len(), 1, "{bad}");
    }
    let deep = "<a>".repeat(300);
    assert_eq!(faults("content = 'xml'", deep.as_bytes()), ["1:0 nested-too-deep"]);
    let long = format!("<a>{}</a>", "x".repeat(3 * 1024 * 1024));
    let plan = parse("content = 'xml'").unwrap();
    let verdict = judge(&plan, &file("a.xml", long.len()), long.as_bytes()).unwrap();
    assert_eq!(verdict.faults()[0].code, "piece-too-long");
    let deep = "[".repeat(100_000);
    assert_eq!(faults("content = 'json'", deep.as_bytes()).len(), 1);
}

#[test]
fn a_million_faults_are_counted_and_a_hundred_named() {
    let text = format!("bsn;day;note\n{}T;1000\n", "x;y;zzzzzz\n".repeat(1_000));
    let plan = parse(CSV).unwrap();
    let verdict = judge(&plan, &file("a.csv", text.len()), text.as_bytes()).unwrap();
    assert_eq!((verdict.faults().len(), verdict.fault_count()), (100, 3_000));
}

#[test]
fn a_product_without_a_plan_is_accepted_unread() {
    let checker = StreamChecker::new(BTreeMap::new());
    let file = file("a.csv", 1);
    assert!(!checker.is_wanted(&file.product).unwrap());
    assert!(checker.check(&file, &mut std::io::empty()).unwrap().is_accepted());
}

#[test]
fn what_cannot_be_read_is_a_fault_and_no_verdict() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _into: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("disk"))
        }
    }
    for declared in ["[text]", "content = 'json'", "content = 'xml'"] {
        assert!(judge(&parse(declared).unwrap(), &file("a", 9), Broken).is_err(), "{declared}");
    }
}

/// A scanner that finds a word, takes so many bytes, or breaks after so many.
#[derive(Clone, Debug)]
struct Finder {
    most_bytes: usize,
    breaks_after: usize,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Finder {
    fn new(most_bytes: usize, breaks_after: usize) -> Self {
        Self { most_bytes, breaks_after, seen: Arc::default() }
    }
}

impl Scanner for Finder {
    fn begin(&self) -> Result<Box<dyn Scan>, Fault> {
        if self.breaks_after == 0 { Err(Fault::new("reach the scanner")) } else { Ok(Box::new(self.clone())) }
    }
}

impl Scan for Finder {
    fn take(&mut self, part: &[u8]) -> Result<(), Fault> {
        let mut seen = self.seen.lock().unwrap();
        seen.extend_from_slice(part);
        if seen.len() > self.breaks_after { Err(Fault::new("hand a file to the scanner")) } else { Ok(()) }
    }

    fn end(self: Box<Self>) -> Result<Scanned, Fault> {
        let seen = self.seen.lock().unwrap();
        if seen.len() > self.most_bytes {
            Ok(Scanned::TooLarge)
        } else if seen.windows(4).any(|part| part == b"evil") {
            Ok(Scanned::Found("Own.Test".to_owned()))
        } else {
            Ok(Scanned::Clean)
        }
    }
}

#[test]
fn every_byte_passes_the_scanner_also_those_the_checks_leave_unread() {
    let good = "x".repeat(3_000_000);
    let bad = format!("\0{}evil", "x".repeat(3_000_000));
    let json = parse("content = 'json'").unwrap();
    for plans in [BTreeMap::new(), BTreeMap::from([(ProductCode::parse("suag").unwrap(), json)])] {
        let finder = Finder::new(usize::MAX, usize::MAX);
        let checker = StreamChecker::new(plans.clone()).with_scanner(Arc::new(finder.clone()), WhenDown::Wait);
        let of = |text: &str| checker.check(&file("a.csv", text.len()), &mut text.as_bytes()).unwrap();
        assert!(checker.is_wanted(&ProductCode::parse("other").unwrap()).unwrap());
        assert_eq!(of(&good).is_accepted(), plans.is_empty());
        finder.seen.lock().unwrap().clear();
        let codes: Vec<String> = of(&bad).faults().iter().map(|fault| fault.code.clone()).collect();
        assert!(codes.contains(&"infected-Own-Test".to_owned()), "{codes:?}");
        assert_eq!(*finder.seen.lock().unwrap(), bad.as_bytes());
    }
}

#[test]
fn a_scanner_that_is_down_or_breaks_is_waited_for_or_not_as_is_configured() {
    let text = "abc";
    for breaks_after in [0, 2] {
        let of = |when_down| {
            let finder = Arc::new(Finder::new(usize::MAX, breaks_after));
            let checker = StreamChecker::new(BTreeMap::new()).with_scanner(finder, when_down);
            checker.check(&file("a.csv", text.len()), &mut text.as_bytes())
        };
        assert!(of(WhenDown::Wait).is_err());
        let accepted = of(WhenDown::Accept).unwrap();
        assert_eq!((accepted.is_accepted(), accepted.counts()), (true, &[("not-scanned".to_owned(), 1)][..]));
        assert_eq!(of(WhenDown::Reject).unwrap().faults()[0].code, "not-scanned");
    }
    for (when_down, is_accepted) in [(WhenDown::Wait, false), (WhenDown::Accept, true), (WhenDown::Reject, false)] {
        let finder = Arc::new(Finder::new(2, usize::MAX));
        let checker = StreamChecker::new(BTreeMap::new()).with_scanner(finder, when_down);
        let verdict = checker.check(&file("a.csv", text.len()), &mut text.as_bytes()).unwrap();
        assert_eq!(verdict.is_accepted(), is_accepted);
    }
}

#[test]
fn archives_are_refused_unless_they_are_allowed() {
    let tar = [&[b'a'; 257][..], b"ustar  \0"].concat();
    for archive in [&b"PK\x03\x04rest"[..], b"\x1F\x8B\x08", b"\x28\xB5\x2F\xFD", &tar] {
        assert_eq!(faults("", archive), ["0:0 archive"]);
        assert_eq!(faults("archives = 'allowed'", archive), NONE);
    }
    assert_eq!(faults("", b""), NONE);
    assert_eq!(faults("", b"P"), NONE);
    assert_eq!(faults("", b"a file of another kind"), NONE);
    // text that is asked for is no archive, whatever is allowed
    assert_eq!(faults("content = 'text'", b"PK\x03\x04"), ["1:0 control-character"]);
}

#[test]
fn numbers_of_files_follow_each_other_as_declared() {
    let of = |rules: &str, last: Option<u64>, name: &str| {
        let plan = parse(&format!("name.pattern = 'F_{{sequence}}'\n{rules}")).unwrap();
        let verdict = judge(&plan, &Checked { last_sequence: last, ..file(name, 0) }, &b""[..]).unwrap();
        let said = verdict.faults().iter().map(|fault| fault.code.clone());
        let said = said.chain(verdict.counts().iter().map(|(what, count)| format!("{what} {count}")));
        (said.collect::<Vec<_>>().join(", "), verdict.is_accepted().then(|| verdict.sequence()).flatten())
    };
    let strict = "sequence = {gap = 'refuse', repeat = 'refuse'}";
    let said = |text: &str, number| (text.to_owned(), number);
    assert_eq!(of("", Some(3), "F_9"), said("", None), "nothing is declared");
    assert_eq!(of(strict, None, "F_9"), said("", Some(9)), "the first one");
    assert_eq!(of(strict, Some(8), "F_009"), said("", Some(9)));
    assert_eq!(of(strict, Some(6), "F_9"), said("sequence-gap", None));
    assert_eq!(of(strict, Some(9), "F_9"), said("sequence-repeated", None));
    assert_eq!(of("sequence = {}", Some(6), "F_9"), said("sequence-gap 2", Some(9)));
    assert_eq!(of("sequence = {}", Some(10), "F_9"), said("sequence-repeated 1", None), "10 stays the last one");
    assert_eq!(of("sequence = {gap = 'ignore'}", Some(6), "F_9"), said("", Some(9)));
    assert_eq!(of("sequence = {repeat = 'refuse', restarts = true}", Some(6), "F_1"), said("", Some(1)));
}

#[test]
fn a_number_stands_in_the_name_or_in_a_record_and_is_the_same_in_both() {
    let declared = "[sequence]\n[records]\nform = 'csv'\ncolumns = [{name = 'a'}]\n\
        first = {mark = 'H', sequence_column = 2, client_column = 3}\n";
    let of = |declared: &str, name: &str, text: &str| {
        let verdict = verdict_of(&parse(declared).unwrap(), name, text.as_bytes());
        let codes: Vec<String> =
            verdict.faults().iter().map(|f| format!("{}:{} {}", f.line, f.column, f.code)).collect();
        (codes.join(", "), verdict.sequence())
    };
    assert_eq!(of(declared, "a", "H;7;duinstad\nx\n"), (String::new(), Some(7)));
    assert_eq!(of(declared, "a", "H;7;bergdorp\nx\n"), ("1:3 wrong-client".to_owned(), Some(7)));
    assert_eq!(of(declared, "a", "H;zeven;duinstad\nx\n").0, "1:2 not-an-integer");
    let both = format!("name = {{pattern = 'F_{{sequence}}'}}\n{declared}");
    assert_eq!(of(&both, "F_7", "H;7;duinstad\nx\n"), (String::new(), Some(7)));
    assert_eq!(of(&both, "F_8", "H;7;duinstad\nx\n").0, "0:0 sequence-differs");
}

proptest! {
    #[test]
    fn any_bytes_get_the_same_verdict_however_they_are_cut(bytes in proptest::collection::vec(
        prop_oneof![Just(b';'), Just(b'"'), Just(b'\n'), Just(b'\r'), Just(b'T'), Just(b'1'), any::<u8>()], 0..200), step in 1_usize..50) {
        for declared in [CSV, "[text]\nline_ends = 'crlf'", "[text]\nencoding = 'iso-8859-1'", "content = 'xml'", "content = 'json'"] {
            let plan = parse(declared).unwrap();
            let whole = judge(&plan, &file("a.csv", bytes.len()), bytes.as_slice()).unwrap();
            let parts = judge(&plan, &file("a.csv", bytes.len()), Slow(&bytes, step)).unwrap();
            prop_assert_eq!(whole, parts);
        }
    }
}
