//! Whether a document is an HS3 document.

use crate::document::{Document, strict};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

/// An object with `metadata.hs3_version`; or with `distributions` or `likelihoods`, and without the `channels` of a pyhf
/// workspace. Builds no tree.
pub fn is_hs3(document: &Document) -> bool {
    // What has none of these keys, written with or without escapes, is passed by at once.
    let may_be = ["\"hs3_version\"", "\"distributions\"", "\"likelihoods\"", "\\u"]
        .iter()
        .any(|key| document.text.contains(key));
    if !may_be || !document.text.trim_start().starts_with('{') {
        return false;
    }
    strict::parser(&document.text).deserialize_map(Keys { top: true }).unwrap_or(false)
}

/// Visits the keys of the document, or of its metadata.
struct Keys {
    top: bool,
}

impl<'de> Visitor<'de> for Keys {
    type Value = bool;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let (mut version, mut component, mut channels) = (false, false, false);
        while let Some(strict::Key(key)) = map.next_key()? {
            if self.top && key == "metadata" {
                version |= map.next_value_seed(Metadata)?;
                continue;
            }
            map.next_value::<IgnoredAny>()?;
            version |= !self.top && key == "hs3_version";
            component |= self.top && (key == "distributions" || key == "likelihoods");
            channels |= self.top && key == "channels";
        }
        Ok(version || (component && !channels))
    }

    // Metadata of another kind.
    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }
}

struct Metadata;

impl<'de> serde::de::DeserializeSeed<'de> for Metadata {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(Keys { top: false })
    }
}
