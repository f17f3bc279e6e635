//! JSON Schemas (2020-12) of the results, generated from their types; `schemas/` holds them as files.

use super::audit::AuditReport;
use super::bench::BenchReport;
use super::coefficients::CompareReport;
use super::convert::ConvertReport;
use super::diff::DiffReport;
use super::eft_closure::EftClosureReport;
use super::eft_directions::EftDirectionsReport;
use super::eft_import::ImportReport;
use super::eft_inspect::EftInspectReport;
use super::eft_mass::EftMassReport;
use super::eft_validity::EftValidityReport;
use super::evaluate::EvaluateReport;
use super::feldman_cousins::FeldmanCousinsReport;
use super::finding::ValidateReport;
use super::fit::FitReport;
use super::gof::GofReport;
use super::hs3_inspect::Hs3InspectReport;
use super::hypotest::{HypotestReport, LikelihoodRatioReport, SignificanceReport};
use super::individual::IndividualReport;
use super::inspect::{InspectReport, ModelReport};
use super::limit::{LimitReport, PointReport};
use super::minos::MinosReport;
use super::prune::PruneReport;
use super::ranking::RankingReport;
use super::response::ResponsesReport;
use super::scan::{ScanReport, ScansReport};
use super::surface::SurfaceReport;
use super::symmetrise::SymmetriseReport;
use super::toys::{ToyHeader, ToyLine, ToyReport};
use super::yields::YieldsReport;
use crate::document::schema::Named;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// The schema of what each command writes.
pub const REPORTS: &[Named] = &[
    Named { name: "report-audit", generate: generate::<AuditReport> },
    Named { name: "report-bench", generate: generate::<Vec<BenchReport>> },
    Named { name: "report-convert", generate: generate::<ConvertReport> },
    Named { name: "report-diff", generate: generate::<DiffReport> },
    Named { name: "report-eft-closure", generate: generate::<EftClosureReport> },
    Named { name: "report-eft-compare", generate: generate::<CompareReport> },
    Named { name: "report-eft-directions", generate: generate::<EftDirectionsReport> },
    Named { name: "report-eft-import", generate: generate::<ImportReport> },
    Named { name: "report-eft-individual", generate: generate::<IndividualReport> },
    Named { name: "report-eft-inspect", generate: generate::<EftInspectReport> },
    Named { name: "report-eft-mass", generate: generate::<EftMassReport> },
    Named { name: "report-eft-responses", generate: generate::<ResponsesReport> },
    Named { name: "report-eft-validity", generate: generate::<EftValidityReport> },
    Named { name: "report-evaluate", generate: generate::<EvaluateReport> },
    Named { name: "report-feldman-cousins", generate: generate::<FeldmanCousinsReport> },
    Named { name: "report-fit", generate: generate::<FitReport> },
    Named { name: "report-gof", generate: generate::<GofReport> },
    Named { name: "report-hs3-inspect", generate: generate::<Hs3InspectReport> },
    Named { name: "report-hypotest", generate: generate::<HypotestReport> },
    Named { name: "report-inspect", generate: generate::<InspectReport> },
    Named { name: "report-likelihood-ratio", generate: generate::<LikelihoodRatioReport> },
    Named { name: "report-limit", generate: generate::<LimitReport> },
    Named { name: "report-limit-point", generate: generate::<PointReport> },
    Named { name: "report-minos", generate: generate::<MinosReport> },
    Named { name: "report-model", generate: generate::<ModelReport> },
    Named { name: "report-prune", generate: generate::<PruneReport> },
    Named { name: "report-ranking", generate: generate::<RankingReport> },
    Named { name: "report-scan", generate: generate::<ScanReport> },
    Named { name: "report-scan-each", generate: generate::<ScansReport> },
    Named { name: "report-scan-2d", generate: generate::<SurfaceReport> },
    Named { name: "report-significance", generate: generate::<SignificanceReport> },
    Named { name: "report-symmetrise", generate: generate::<SymmetriseReport> },
    Named { name: "report-toy", generate: generate::<ToyLine> },
    Named { name: "report-toy-header", generate: generate::<ToyHeader> },
    Named { name: "report-toys", generate: generate::<ToyReport> },
    Named { name: "report-validate", generate: generate::<ValidateReport> },
    Named { name: "report-yields", generate: generate::<YieldsReport> },
];

/// The schema of what a type writes, which may hold more than it reads.
fn generate<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>().into()
}
