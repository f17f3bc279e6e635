//! serde_json made strict: duplicate keys are errors, and every error has a class, a line and a column.

use super::{Kind, position};
use crate::finding::{Finding, Result, escape_token, quote};
use crate::rule::{self, Rule};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashSet;

/// Checks the whole text. Its depth has been checked: the parser's own limit is switched off.
pub(super) fn check(text: &str) -> Result<()> {
    let mut fault = Fault::default();
    let mut parser = parser(text);
    match Check(&mut fault).deserialize(&mut parser).and_then(|()| parser.end()) {
        Ok(()) => Ok(()),
        Err(error) => Err(fault.finding(text, &error).into()),
    }
}

/// The tree of a text that has passed [`check`].
pub(super) fn build(text: &str) -> Result<Value> {
    serde::Deserialize::deserialize(&mut parser(text)).map_err(|error| Fault::default().finding(text, &error).into())
}

/// A parser of a text whose depth has been checked.
pub(super) fn parser(text: &str) -> serde_json::Deserializer<serde_json::de::StrRead<'_>> {
    let mut parser = serde_json::Deserializer::from_str(text);
    parser.disable_recursion_limit();
    parser
}

/// What a checked text looks like by its first bracket and its top-level keys.
pub(super) fn kind(text: &str) -> Kind {
    struct Keys;
    impl<'de> Visitor<'de> for Keys {
        type Value = Kind;

        fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Kind, A::Error> {
            let (mut patches, mut metadata, mut parameters, mut channels) = (false, false, false, false);
            while let Some((Key(key), IgnoredAny)) = map.next_entry()? {
                patches |= key == "patches";
                metadata |= key == "metadata";
                parameters |= key == "parameters" || key == "shared_names";
                channels |= key == "channels";
            }
            Ok(match (patches && metadata, parameters && !channels) {
                (true, _) => Kind::Patchset,
                (false, true) => Kind::Correlations,
                (false, false) => Kind::Workspace,
            })
        }
    }
    if text.trim_start().starts_with('[') {
        return Kind::Patch;
    }
    parser(text).deserialize_map(Keys).unwrap_or(Kind::Workspace)
}

/// A key, borrowed from the text where it has no escapes.
pub(super) struct Key<'de>(pub Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, key: &'de str) -> std::result::Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(key)))
            }

            fn visit_str<E>(self, key: &str) -> std::result::Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(key.to_string())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

/// What [`Check`] knows of the error that stopped it; the path is filled from the inside out.
#[derive(Default)]
struct Fault {
    duplicate: Option<String>,
    path: Vec<String>,
}

/// Walks over one value and builds nothing.
struct Check<'f>(&'f mut Fault);

impl<'de> DeserializeSeed<'de> for Check<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Check<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> std::result::Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<(), A::Error> {
        let mut index = 0usize;
        loop {
            match seq.next_element_seed(Check(self.0)) {
                Ok(Some(())) => index += 1,
                Ok(None) => return Ok(()),
                Err(error) => {
                    self.0.path.push(index.to_string());
                    return Err(error);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        let mut keys = Keys::default();
        while let Some(Key(key)) = map.next_key()? {
            if keys.contains(&key) {
                self.0.duplicate = Some(key.to_string());
                self.0.path.push(escape_token(&key));
                return Err(A::Error::custom("duplicate key"));
            }
            if let Err(error) = map.next_value_seed(Check(self.0)) {
                self.0.path.push(escape_token(&key));
                return Err(error);
            }
            keys.insert(key);
        }
        Ok(())
    }
}

/// The keys of one object: a list while they are few, since most objects have two or three.
#[derive(Default)]
struct Keys<'de> {
    few: Vec<Cow<'de, str>>,
    many: HashSet<Cow<'de, str>>,
}

impl<'de> Keys<'de> {
    const FEW: usize = 16;

    fn contains(&self, key: &str) -> bool {
        self.few.iter().any(|k| k == key) || self.many.contains(key)
    }

    fn insert(&mut self, key: Cow<'de, str>) {
        if self.few.len() < Self::FEW {
            self.few.push(key);
        } else {
            self.many.insert(key);
        }
    }
}

impl Fault {
    fn finding(mut self, text: &str, error: &serde_json::Error) -> Finding {
        let offset = position::offset_of(text, error.line(), error.column());
        if let Some(key) = self.duplicate {
            let key_start = position::start_of_string_before(text, offset);
            let (line, column) = position::of_offset(text, key_start);
            self.path.push(String::new());
            self.path.reverse();
            let found = format!("the key {} a second time", quote(&key));
            return Finding::new(&rule::DUPLICATE_KEY, found, "every key of an object once")
                .at(self.path.join("/"))
                .at_line(line, column);
        }
        syntax(text, offset, error)
    }
}

/// A syntax error or a number out of range, at the byte `offset`.
fn syntax(text: &str, offset: usize, error: &serde_json::Error) -> Finding {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let (broken, offset) = match message {
        "number out of range" => (&rule::NUMBER_RANGE, position::start_of_number_at(text, offset)),
        "invalid number" => (&rule::SYNTAX, position::start_of_number_at(text, offset)),
        _ if message.starts_with("EOF") => (&rule::SYNTAX, text.len()),
        _ => (&rule::SYNTAX, offset),
    };
    let (line, column) = position::of_offset(text, offset);
    let rest = text.get(offset..).unwrap_or_default();
    let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '+' | '-' | '.')).collect();
    let found = match rest.chars().next() {
        _ if word.chars().nth(1).is_some() => quote(&word),
        Some(c) => quote(&c.to_string()),
        None => "the end of the text".to_string(),
    };
    let finding = Finding::new(broken, found, expectation(broken, message)).at_line(line, column);
    match remedy(text, rest, message) {
        Some(hint) => finding.hint(hint),
        None => finding,
    }
}

fn expectation(broken: &Rule, message: &str) -> String {
    match message {
        _ if *broken == rule::NUMBER_RANGE => "a number in the range of binary64".into(),
        _ if message.starts_with("EOF") => "the rest of the document".into(),
        "trailing comma" => "a value or key after the comma".into(),
        "trailing characters" => "nothing after the document".into(),
        _ => match message.strip_prefix("expected ") {
            Some(what) => what.to_string(),
            None => format!("JSON ({message})"),
        },
    }
}

/// Advice for what people really write.
fn remedy(text: &str, rest: &str, message: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("the file is empty")
    } else if text.starts_with('\u{feff}') {
        Some("remove the byte order mark at the start")
    } else if message.starts_with("EOF") {
        Some("the file is cut off: fetch it again")
    } else if rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with('#') {
        Some("JSON has no comments: remove it")
    } else if ["NaN", "Infinity", "-Infinity", "I", "inf"].iter().any(|w| rest.starts_with(w)) {
        Some("JSON has no NaN and no Infinity: write a finite number")
    } else if message == "trailing comma" {
        Some("remove the comma")
    } else if message.contains("surrogate") || message.contains("hex escape") {
        Some("write the character itself, or both halves of the surrogate pair")
    } else if message == "invalid number" {
        Some("write numbers as -12.5e3: decimal, no leading zero or plus sign")
    } else {
        None
    }
}
