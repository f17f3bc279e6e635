//! Reading: strict JSON, limits, positions, compression.

use morphist::document::{Document, Kind, Limits};
use morphist::finding::Finding;
use std::io::Write;

fn read(text: &[u8]) -> Result<Document, Box<Finding>> {
    Document::from_slice("test", text.to_vec(), &Limits::default()).map_err(|mut findings| findings.0.remove(0).into())
}

fn fails(text: &str, class: &str, line: usize, column: usize) -> Box<Finding> {
    let finding = read(text.as_bytes()).expect_err(text);
    assert_eq!((finding.class, finding.line, finding.column), (class, Some(line), Some(column)), "{text}: {finding}");
    assert!(!finding.hint.is_empty() && !finding.found.is_empty() && !finding.expected.is_empty());
    finding
}

/// Places counted by hand: the first character that cannot be there.
#[test]
fn syntax_errors_have_places() {
    fails("", "SyntaxError", 1, 1);
    fails("{\n \"a\": [1,\n  2,]\n}", "SyntaxError", 3, 5);
    fails("{\"a\": 1,}", "SyntaxError", 1, 9);
    fails("[1] x", "SyntaxError", 1, 5);
    fails("[1, NaN]", "SyntaxError", 1, 5);
    fails("[Infinity]", "SyntaxError", 1, 2);
    fails("// no\n[]", "SyntaxError", 1, 1);
    fails("[\n'a']", "SyntaxError", 2, 1);
    fails("[\"é\", x]", "SyntaxError", 1, 7);
    fails("\u{feff}[]", "SyntaxError", 1, 1);
    fails("[1, 2", "SyntaxError", 1, 6);
}

/// Errors inside numbers and strings are placed within the token, on its line.
#[test]
fn broken_tokens_are_syntax_errors() {
    let tokens = [
        "[01]",
        "[0x10]",
        "[+1]",
        "[1.]",
        "[.5]",
        "[1e]",
        "[-]",
        "[-Infinity]",
        "[\"\\ud800\"]",
        "[\"\\ud800\\u0041\"]",
        "[\"\t\"]",
        "[\"\\x\"]",
        "[\"a",
    ];
    for text in tokens {
        let finding = read(format!("[\n{text}]").as_bytes()).expect_err(text);
        assert_eq!((finding.class, finding.line), ("SyntaxError", Some(2)), "{text}: {finding}");
        assert!(finding.column.is_some_and(|c| (1..=text.len() + 2).contains(&c)), "{text}: {finding}");
    }
}

#[test]
fn invalid_utf8_has_a_place() {
    let finding = read(b"[\n\"\xc3\xa9\xff\"]").unwrap_err();
    assert_eq!((finding.rule, finding.line, finding.column), ("W002", Some(2), Some(3)));
}

#[test]
fn numbers_are_exact_or_errors() {
    fails("[1,\n -1e400]", "NumberRange", 2, 2);
    fails("[123456789012345678901]", "NumberRange", 1, 2);
    fails("[-9223372036854775809]", "NumberRange", 1, 2);
    let text = b"[18446744073709551615, -9223372036854775808, 123456789012345678901.0, 1e-400, -0, 0.1e1, 8.41e21, 9007199254740993.0]";
    let value = read(text).unwrap().value().unwrap();
    assert_eq!(value[0].as_u64(), Some(u64::MAX));
    assert_eq!(value[1].as_i64(), Some(i64::MIN));
    assert_eq!(value[2].as_f64(), Some(123456789012345680000.0));
    assert_eq!(value[3].as_f64(), Some(0.0));
    assert_eq!(value[4].as_i64(), Some(0));
    assert!(value[5].is_f64());
    // The nearest binary64 of the decimal text, ties to even: 2^53 + 1 lies between two neighbours.
    assert_eq!(value[7].as_f64(), Some(9007199254740992.0));
}

#[test]
fn duplicate_keys_have_pointer_and_place() {
    let finding = fails("{\"a\": [0, {\"b/c\": 1,\n  \"b/c\": 2}]}", "DuplicateKey", 2, 3);
    assert_eq!(finding.pointer.as_deref(), Some("/a/1/b~1c"));
    fails(r#"{"a": 1, "\u0061": 2}"#, "DuplicateKey", 1, 10);
    let many: Vec<String> = (0..100).chain([70]).map(|i| format!("\"{i}\": 0")).collect();
    let finding = read(format!("{{{}}}", many.join(", ")).as_bytes()).unwrap_err();
    assert_eq!((finding.class, finding.pointer.as_deref()), ("DuplicateKey", Some("/70")));
    assert!(read(br#"{"a": {"a": 1}, "b": {"a": 1}}"#).is_ok());
    assert!(read(b"{\"a\\u0000\": 1, \"a\": 2}").is_ok());
}

#[test]
fn depth_is_limited() {
    let nested = |n: usize| "[".repeat(n) + &"]".repeat(n);
    assert!(read(nested(128).as_bytes()).is_ok());
    fails(&nested(129), "DepthLimit", 1, 129);
    fails(&"[".repeat(1_000_000), "DepthLimit", 1, 129);
    fails(&"{\"a\":".repeat(1_000_000), "DepthLimit", 1, 5 * 128 + 1);
    assert!(read(format!("[\"{}\"]", "[".repeat(1000)).as_bytes()).is_ok());
    let limits = Limits { max_depth: usize::MAX, ..Limits::default() };
    let deepest = nested(Limits::DEEPEST).into_bytes();
    assert!(Document::from_slice("test", deepest, &limits).unwrap().value().is_ok());
    assert!(Document::from_slice("test", nested(Limits::DEEPEST + 1).into_bytes(), &limits).is_err());
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn size_is_limited_after_decompression() {
    let limits = Limits { max_size: 1000, ..Limits::default() };
    let text = |n: usize| format!("[{}]", " ".repeat(n - 2)).into_bytes();
    assert!(Document::from_slice("test", text(1000), &limits).is_ok());
    assert_eq!(Document::from_slice("test", text(1001), &limits).unwrap_err().0[0].class, "SizeLimit");
    assert!(Document::from_slice("test", gzip(&text(1000)), &limits).is_ok());
    assert_eq!(Document::from_slice("test", gzip(&text(10_000_000)), &limits).unwrap_err().0[0].class, "SizeLimit");
}

#[test]
fn files_are_read_plain_and_compressed() {
    let directory = std::env::temp_dir().join(format!("morphist-read-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let read = |name: &str, bytes: &[u8]| {
        let path = directory.join(name);
        std::fs::write(&path, bytes).unwrap();
        Document::from_path(&path, &Limits::default())
    };
    assert_eq!(read("a.json", b"[1]").unwrap().text, "[1]");
    assert_eq!(read("b.json.gz", &gzip(b"[1]")).unwrap().text, "[1]");
    let two_members = [gzip(b"[1,"), gzip(b"2]")].concat();
    assert_eq!(read("c.gz", &two_members).unwrap().text, "[1,2]");
    let cut = gzip(b"[1]");
    assert_eq!(read("d.gz", &cut[..cut.len() - 5]).unwrap_err().0[0].class, "ReadError");
    assert_eq!(Document::from_path(&directory.join("none"), &Limits::default()).unwrap_err().0[0].class, "ReadError");
    assert_eq!(Document::from_path(&directory, &Limits::default()).unwrap_err().0[0].class, "ReadError");
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn the_tree_of_a_document_is_limited() {
    let limits = Limits { max_size: 10_000, ..Limits::default() };
    let text = format!("[{}0]", "0,".repeat(4000));
    let document = Document::from_slice("test", text.into_bytes(), &limits).unwrap();
    assert_eq!(document.value().unwrap_err().0[0].class, "SizeLimit");
}

#[test]
fn kinds_are_detected() {
    let kind = |text: &str| read(text.as_bytes()).unwrap().kind();
    assert_eq!(kind(" [ ]"), Kind::Patch);
    assert_eq!(kind(r#"{"metadata": 1, "patches": 2}"#), Kind::Patchset);
    assert_eq!(kind(r#"{"metadata": {"patches": 2}}"#), Kind::Workspace);
    assert_eq!(kind("\"channels\""), Kind::Workspace);
}
