//! Reading a modifier without keeping its data twice: serde's tagged enums copy everything first, and let an array
//! stand for an object.

use super::strict::Key;
use super::workspace::{HistosysData, Modifier, NormsysData};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// The value of `data`, before `type` says what it must be.
enum Data {
    Null,
    Numbers(Vec<f64>),
    Object(Object),
    /// Of the EFT extension, whose types read it once the type is known.
    Members(Map<String, Value>),
}

#[derive(Default)]
struct Object {
    lo: Option<f64>,
    hi: Option<f64>,
    lo_data: Option<Vec<f64>>,
    hi_data: Option<Vec<f64>>,
}

impl<'de> Deserialize<'de> for Modifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ModifierVisitor)
    }
}

struct ModifierVisitor;

impl<'de> Visitor<'de> for ModifierVisitor {
    type Value = Modifier;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a modifier with name, type and data")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Modifier, A::Error> {
        let (mut name, mut kind, mut data) = (None, None, None);
        while let Some(key) = map.next_key::<Key>()? {
            match key.0.as_ref() {
                "name" => set(&mut name, "name", map.next_value::<String>()?)?,
                "type" => set(&mut kind, "type", map.next_value::<Key>()?)?,
                "data" => set(&mut data, "data", map.next_value::<Data>()?)?,
                other => return Err(A::Error::unknown_field(other, &["name", "type", "data"])),
            }
        }
        let name = name.ok_or_else(|| A::Error::missing_field("name"))?;
        let kind = kind.ok_or_else(|| A::Error::missing_field("type"))?;
        let fitting = match data.ok_or_else(|| A::Error::missing_field("data"))? {
            Data::Members(data) => eft_modifier(name, &kind.0, data).map_err(A::Error::custom)?,
            data => modifier(name, &kind.0, data),
        };
        fitting.ok_or_else(|| A::Error::custom(format_args!("the data do not fit the type {:?}", kind.0)))
    }
}

fn set<T, E: Error>(slot: &mut Option<T>, key: &'static str, value: T) -> Result<(), E> {
    if slot.replace(value).is_some() { Err(E::duplicate_field(key)) } else { Ok(()) }
}

fn modifier(name: String, kind: &str, data: Data) -> Option<Modifier> {
    Some(match (kind, data) {
        ("histosys", Data::Object(Object { lo: None, hi: None, lo_data: Some(lo_data), hi_data: Some(hi_data) })) => {
            Modifier::Histosys { name, data: HistosysData { lo_data, hi_data } }
        }
        ("normsys", Data::Object(Object { lo: Some(lo), hi: Some(hi), lo_data: None, hi_data: None })) => {
            Modifier::Normsys { name, data: NormsysData { lo, hi } }
        }
        ("lumi", Data::Null) => Modifier::Lumi { name, data: () },
        ("normfactor", Data::Null) => Modifier::Normfactor { name, data: () },
        ("shapefactor", Data::Null) => Modifier::Shapefactor { name, data: () },
        ("shapesys", Data::Numbers(data)) => Modifier::Shapesys { name, data },
        ("staterror", Data::Numbers(data)) => Modifier::Staterror { name, data },
        // A sample of which nothing is to be said.
        ("eft_sample", Data::Object(Object { lo: None, hi: None, lo_data: None, hi_data: None })) => {
            Modifier::EftSample { name, data: Box::default() }
        }
        _ => return None,
    })
}

fn eft_modifier(name: String, kind: &str, data: Map<String, Value>) -> serde_json::Result<Option<Modifier>> {
    Ok(Some(match kind {
        "eft_bilinear" => Modifier::EftBilinear { name, data: boxed(data)? },
        "eft_events" => Modifier::EftEvents { name, data: boxed(data)? },
        "eft_map" => Modifier::EftMap { name, data: boxed(data)? },
        "eft_morph" => Modifier::EftMorph { name, data: boxed(data)? },
        "eft_polynomial" => Modifier::EftPolynomial { name, data: boxed(data)? },
        "eft_rational" => Modifier::EftRational { name, data: boxed(data)? },
        "eft_sample" => Modifier::EftSample { name, data: boxed(data)? },
        "eft_sum_of_squares" => Modifier::EftSumOfSquares { name, data: boxed(data)? },
        _ => return Ok(None),
    }))
}

fn boxed<T: DeserializeOwned>(data: Map<String, Value>) -> serde_json::Result<Box<T>> {
    serde_json::from_value(Value::Object(data)).map(Box::new)
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DataVisitor)
    }
}

struct DataVisitor;

impl<'de> Visitor<'de> for DataVisitor {
    type Value = Data;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("null, an array of numbers, or an object")
    }

    fn visit_unit<E>(self) -> Result<Data, E> {
        Ok(Data::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Data, A::Error> {
        let mut numbers = Vec::new();
        while let Some(number) = seq.next_element()? {
            numbers.push(number);
        }
        Ok(Data::Numbers(numbers))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Data, A::Error> {
        let mut object = Object::default();
        while let Some(key) = map.next_key::<Key>()? {
            match key.0.as_ref() {
                "lo" => set(&mut object.lo, "lo", map.next_value()?)?,
                "hi" => set(&mut object.hi, "hi", map.next_value()?)?,
                "lo_data" => set(&mut object.lo_data, "lo_data", map.next_value()?)?,
                "hi_data" => set(&mut object.hi_data, "hi_data", map.next_value()?)?,
                other => return members(object, other, map).map(Data::Members),
            }
        }
        Ok(Data::Object(object))
    }
}

/// All members of an object that is none of histosys or normsys: what was read already, and the rest from `key` on.
fn members<'de, A: MapAccess<'de>>(object: Object, key: &str, mut map: A) -> Result<Map<String, Value>, A::Error> {
    let mut members = Map::new();
    let Object { lo, hi, lo_data, hi_data } = object;
    for (key, value) in [("lo", lo.map(Value::from)), ("hi", hi.map(Value::from))] {
        members.extend(value.map(|value| (key.to_string(), value)));
    }
    for (key, value) in [("lo_data", lo_data.map(Value::from)), ("hi_data", hi_data.map(Value::from))] {
        members.extend(value.map(|value| (key.to_string(), value)));
    }
    members.insert(key.to_string(), map.next_value()?);
    while let Some((key, value)) = map.next_entry()? {
        members.insert(key, value);
    }
    Ok(members)
}
