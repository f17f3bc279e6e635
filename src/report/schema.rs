//! JSON Schemas of the results, by name.

use super::bench::BenchReport;
use super::evaluate::EvaluateReport;
use super::finding::ValidateReport;
use super::fit::FitReport;
use super::inspect::InspectReport;
use schemars::Schema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// Name of each result's schema, and what it describes.
pub const SCHEMAS: [(&str, &str); 5] = [
    ("report-bench", "output of morphist bench"),
    ("report-evaluate", "output of morphist evaluate"),
    ("report-fit", "output of morphist fit"),
    ("report-inspect", "output of morphist inspect"),
    ("report-validate", "output of morphist validate"),
];

/// The JSON Schema (2020-12) of one result, generated from its type.
pub fn schema(name: &str) -> Option<Value> {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let schema: Schema = match name {
        "report-bench" => generator.into_root_schema_for::<Vec<BenchReport>>(),
        "report-evaluate" => generator.into_root_schema_for::<EvaluateReport>(),
        "report-fit" => generator.into_root_schema_for::<FitReport>(),
        "report-inspect" => generator.into_root_schema_for::<InspectReport>(),
        "report-validate" => generator.into_root_schema_for::<ValidateReport>(),
        _ => return None,
    };
    Some(schema.to_value())
}
