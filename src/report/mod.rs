//! Results → JSON with a schema, and tables for people. One file a result; no computation beyond formatting.

pub mod applied_fit;
pub mod audit;
pub mod bench;
pub mod blind;
pub mod by_name;
pub mod certificate;
pub mod coefficients;
pub mod convert;
mod crossing;
mod csv;
pub mod derived;
pub mod diff;
pub mod eft_closure;
pub mod eft_directions;
pub mod eft_import;
pub mod eft_inspect;
pub mod eft_mass;
pub mod eft_validity;
pub mod evaluate;
pub mod feldman_cousins;
pub mod finding;
pub mod fit;
pub mod gof;
pub mod hs3_inspect;
pub mod hypotest;
pub mod individual;
pub mod inspect;
pub mod intervals_head;
mod latex;
pub mod limit;
pub mod minima;
pub mod minos;
pub mod number;
pub mod prune;
pub mod ranking;
pub mod reason;
pub mod region;
pub mod response;
pub mod scan;
pub mod schema;
pub mod sensitivity;
pub mod surface;
pub mod symmetrise;
pub mod table;
pub mod text;
pub mod toys;
pub mod yields;

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

/// A result as JSON text: four spaces of indentation and a final newline. Results
/// that pyhf has too declare their fields in alphabetical order, so that keys come out sorted as pyhf sorts them.
pub fn to_json<T: Serialize + ?Sized>(result: &T) -> serde_json::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    result.serialize(&mut Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"    ")))?;
    bytes.push(b'\n');
    Ok(bytes)
}
