//! From JSON to the workspace types, exactly where the schema agrees: serde alone would let an array stand for an
//! object and null for an optional member.

use super::eft::Eft;
use super::workspace::{Modifier, Workspace};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

/// The workspace, if the source follows the schema; what is wrong otherwise, in serde's words.
pub(super) fn workspace<'de, D: Deserializer<'de>>(source: D) -> Result<Workspace, D::Error> {
    let workspace = Workspace::deserialize(Exact(source))?;
    match beyond_types(&workspace) {
        None => Ok(workspace),
        Some(message) => Err(D::Error::custom(message)),
    }
}

/// What the schema asks beyond types: the version, the name of lumi, arrays that are not empty.
fn beyond_types(workspace: &Workspace) -> Option<&'static str> {
    let samples = || workspace.channels.iter().flat_map(|c| &c.samples);
    let modifiers = || samples().flat_map(|s| &s.modifiers);
    let configs = || workspace.measurements.iter().flat_map(|m| &m.config.parameters);
    let other_terms = |eft: &Eft| !(eft.gaussian_measurements.is_empty() && eft.unbinned_terms.is_empty());
    let measured = workspace.eft.as_deref().is_some_and(other_terms);
    let empty = (workspace.channels.is_empty() && !measured)
        || workspace.measurements.is_empty()
        || (workspace.observations.is_empty() && !measured)
        || workspace.observations.iter().any(|o| o.data.is_empty())
        || workspace.channels.iter().any(|c| c.samples.is_empty())
        || samples().any(|s| s.data.is_empty())
        || modifiers().any(|m| match m {
            Modifier::Histosys { data, .. } => data.lo_data.is_empty() || data.hi_data.is_empty(),
            Modifier::Shapesys { data, .. } | Modifier::Staterror { data, .. } => data.is_empty(),
            _ => false,
        })
        || configs().any(|p| {
            let numbers = [&p.inits, &p.auxdata, &p.factors, &p.sigmas];
            numbers.into_iter().flatten().any(Vec::is_empty) || p.bounds.as_ref().is_some_and(Vec::is_empty)
        });
    let lumi = modifiers().any(|m| matches!(m, Modifier::Lumi { name, .. } if name != "lumi"));
    if empty {
        Some("an array is empty")
    } else if lumi {
        Some("a lumi modifier is not named lumi")
    } else if workspace.version != "1.0.0" {
        Some("the version is not 1.0.0")
    } else {
        None
    }
}

/// Below this binary64 holds every integer.
const EXACT_INTEGERS: f64 = 9_007_199_254_740_992.0;

/// Wraps a deserializer, a visitor, a sequence, a map or a seed, and passes everything through but structs and options.
struct Exact<T>(T);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Exact<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(Exact(visitor))
    }

    /// A struct is an object, never an array.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Exact(visitor))
    }

    /// An optional member is absent or has a value; null is not absent.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_some(self)
    }

    /// Enums belong to the EFT extension, which the schema checks as well ([`super::violation`]).
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Exact<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        self.0.expecting(f)
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<V::Value, E> {
        self.0.visit_bool(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<V::Value, E> {
        self.0.visit_i64(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<V::Value, E> {
        self.0.visit_u64(value)
    }

    /// JSON knows one kind of number: 2.0 is an integer where one is wanted, as the schema says.
    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        let integer = value as i64;
        let is_integer = value.abs() < EXACT_INTEGERS && integer as f64 == value;
        if is_integer && value.is_sign_positive() {
            self.0.visit_u64(integer.unsigned_abs())
        } else if is_integer && integer != 0 {
            self.0.visit_i64(integer)
        } else {
            self.0.visit_f64(value)
        }
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<V::Value, E> {
        self.0.visit_str(value)
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<V::Value, E> {
        self.0.visit_borrowed_str(value)
    }

    fn visit_string<E: Error>(self, value: String) -> Result<V::Value, E> {
        self.0.visit_string(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Exact(seq))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Exact(map))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Exact<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Exact(seed))
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Exact<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Exact(seed))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Exact<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Exact(deserializer))
    }
}
