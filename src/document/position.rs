//! Where in a text something is: byte offsets, lines and columns, and the places that JSON Pointers name.

use crate::finding::Findings;
use std::collections::{HashMap, HashSet};

/// Line and column, both from 1, of a byte offset; columns count characters.
pub fn of_offset(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line = before.iter().filter(|b| **b == b'\n').count() + 1;
    let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
    (line, characters(&before[start..]) + 1)
}

/// Characters that begin in these bytes of UTF-8.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|b| (**b as i8) >= -0x40).count()
}

/// The byte offset of serde_json's line and column, which count bytes.
pub(super) fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let mut line_ends = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1);
    let start = match line {
        0 | 1 => 0,
        n => line_ends.nth(n - 2).unwrap_or(text.len()),
    };
    let mut offset = (start + column.saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// The opening quote of the string whose closing quote is at or before `offset`.
pub(super) fn start_of_string_before(text: &str, offset: usize) -> usize {
    let bytes = text.as_bytes();
    let Some(close) = bytes[..(offset + 1).min(bytes.len())].iter().rposition(|b| *b == b'"') else { return offset };
    let mut open = close;
    while let Some(i) = bytes[..open].iter().rposition(|b| *b == b'"') {
        open = i;
        let backslashes = bytes[..i].iter().rev().take_while(|b| **b == b'\\').count();
        if backslashes % 2 == 0 {
            break;
        }
    }
    open
}

/// The first byte of the number that ends at or after `offset`.
pub(super) fn start_of_number_at(text: &str, offset: usize) -> usize {
    let number = |b: &u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E');
    offset - text.as_bytes()[..offset].iter().rev().take_while(|b| number(b)).count()
}

/// Gives every finding that has a pointer and no line the place of the value it points to, in one pass over the text,
/// and sorts the findings by place. A pointer to something that is not there gets the place of the innermost value
/// that is.
pub fn resolve(text: &str, findings: &mut Findings) {
    locate(text, findings);
    findings.0.sort_by_key(|f| (f.line, f.column));
}

fn locate(text: &str, findings: &mut Findings) {
    let mut wanted = Trie::default();
    for (index, finding) in findings.0.iter().enumerate() {
        if let (Some(pointer), None) = (&finding.pointer, finding.line) {
            wanted.insert(pointer, index);
        }
    }
    if wanted.is_empty() {
        return;
    }
    let mut walk = Walk::new(text);
    walk.value(&wanted);
    walk.places.sort_unstable();
    let (mut line, mut line_start, mut seen) = (1, 0, 0);
    for (offset, index) in walk.places {
        for (i, _) in text.as_bytes()[seen..offset].iter().enumerate().filter(|(_, b)| **b == b'\n') {
            line += 1;
            line_start = seen + i + 1;
        }
        seen = offset;
        let column = characters(&text.as_bytes()[line_start..offset]) + 1;
        if let Some(finding) = findings.0.get_mut(index) {
            (finding.line, finding.column) = (Some(line), Some(column));
        }
    }
}

/// Pointers by their tokens.
#[derive(Default)]
struct Trie {
    findings: Vec<usize>,
    children: HashMap<String, Trie>,
}

impl Trie {
    fn insert(&mut self, pointer: &str, finding: usize) {
        let mut node = self;
        for token in pointer.split('/').skip(1) {
            node = node.children.entry(token.replace("~1", "/").replace("~0", "~")).or_default();
        }
        node.findings.push(finding);
    }

    fn is_empty(&self) -> bool {
        self.findings.is_empty() && self.children.is_empty()
    }

    fn all(&self, found: &mut Vec<usize>) {
        found.extend(&self.findings);
        self.children.values().for_each(|child| child.all(found));
    }
}

/// A walk over a text that is known to be JSON of limited depth.
pub(super) struct Walk<'t> {
    pub bytes: &'t [u8],
    pub at: usize,
    /// Byte offset of each place and the index of its finding.
    places: Vec<(usize, usize)>,
}

impl<'t> Walk<'t> {
    pub fn new(text: &'t str) -> Walk<'t> {
        Walk { bytes: text.as_bytes(), at: 0, places: Vec::new() }
    }

    /// The next byte that is no white space.
    pub fn peek(&mut self) -> Option<u8> {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    /// Walks over one value, noting the places of the findings in `wanted`.
    fn value(&mut self, wanted: &Trie) {
        let opening = self.peek();
        let start = self.at.min(self.bytes.len());
        self.places.extend(wanted.findings.iter().map(|i| (start, *i)));
        if wanted.children.is_empty() {
            return self.skip();
        }
        let mut met = HashSet::new();
        match opening {
            Some(b'[') => self.items(wanted, &mut met),
            Some(b'{') => self.members(wanted, &mut met),
            _ => self.skip(),
        }
        let mut lost = Vec::new();
        for (_, child) in wanted.children.iter().filter(|(token, _)| !met.contains(token.as_str())) {
            child.all(&mut lost);
        }
        self.places.extend(lost.into_iter().map(|i| (start, i)));
    }

    fn items<'w>(&mut self, wanted: &'w Trie, met: &mut HashSet<&'w str>) {
        self.at += 1;
        let mut index = 0usize;
        while let Some(byte) = self.peek() {
            match byte {
                b']' => return self.at += 1,
                b',' => self.at += 1,
                _ => {
                    self.child(wanted, &index.to_string(), met);
                    index += 1;
                }
            }
        }
    }

    fn members<'w>(&mut self, wanted: &'w Trie, met: &mut HashSet<&'w str>) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'}' => return self.at += 1,
                b',' => self.at += 1,
                _ => {
                    let key = self.key();
                    self.child(wanted, &key, met);
                }
            }
        }
    }

    /// Moves past a key and its colon.
    pub fn key(&mut self) -> String {
        let key = self.string();
        if self.peek() == Some(b':') {
            self.at += 1;
        }
        key
    }

    /// Moves past a value; what it says if it is a string, else nothing.
    pub fn string(&mut self) -> String {
        self.peek();
        let start = self.at;
        self.skip();
        self.bytes.get(start..self.at).and_then(|s| serde_json::from_slice(s).ok()).unwrap_or_default()
    }

    fn child<'w>(&mut self, wanted: &'w Trie, token: &str, met: &mut HashSet<&'w str>) {
        match wanted.children.get_key_value(token) {
            Some((token, child)) => {
                met.insert(token);
                self.value(child);
            }
            None => {
                self.peek();
                self.skip();
            }
        }
    }

    /// Moves past one value, or one byte if there is none.
    pub fn skip(&mut self) {
        let mut depth = 0usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.at += 1;
                    while let Some(&b) = self.bytes.get(self.at) {
                        self.at += if b == b'\\' { 2 } else { 1 };
                        if b == b'"' {
                            break;
                        }
                    }
                }
                b'[' | b'{' => {
                    depth += 1;
                    self.at += 1;
                }
                b']' | b'}' => {
                    depth = depth.saturating_sub(1);
                    self.at += 1;
                }
                b',' | b':' => self.at += 1,
                _ => {
                    while self.bytes.get(self.at).is_some_and(|b| !b" \t\r\n,:]}".contains(b)) {
                        self.at += 1;
                    }
                }
            }
            if depth == 0 {
                return;
            }
        }
    }
}
