//! `morphist prune`: a workspace without some of its parts.

use super::change_args::ChangeArgs;
use super::output::write_json;
use super::{CommandError, CommandResult, note};
use crate::finding::{number, quote};
use crate::report::prune::PruneReport;
use crate::workspace::edit::Selector;
use crate::workspace::edit::prune::{Dropped, Kind, Options, prune};
use clap::Args;
use std::path::PathBuf;

/// Leave out channels, samples, modifiers or measurements; names may be globs
#[derive(Args, Debug)]
pub struct Prune {
    /// Leave out channels, with their observations
    #[arg(short, long, value_name = "CHANNEL")]
    pub channel: Vec<String>,
    /// Leave out samples, in all channels
    #[arg(short, long, value_name = "SAMPLE")]
    pub sample: Vec<String>,
    /// Leave out modifiers and the configurations of their parameters
    #[arg(short, long, value_name = "MODIFIER")]
    pub modifier: Vec<String>,
    /// Leave out all modifiers of a type
    #[arg(short = 't', long, value_name = "TYPE")]
    pub modifier_type: Vec<String>,
    /// Leave out measurements
    #[arg(long, value_name = "MEASUREMENT")]
    pub measurement: Vec<String>,
    /// Leave out what this fits, such as channel=SR*/sample=ttbar/modifier=JES*/type=histosys
    #[arg(long, value_name = "SELECTOR")]
    pub selector: Vec<Selector>,
    /// Leave out each normsys and histosys that changes no bin of its sample by this fraction at ±1σ
    #[arg(long, value_name = "FRACTION", value_parser = fraction)]
    pub smaller_than: Option<f64>,
    /// Write what was left out to FILE as JSON
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    #[command(flatten)]
    pub change: ChangeArgs,
}

/// How many modifiers that are too small are told on stderr.
const MOST_TOLD: usize = 20;

impl Prune {
    pub fn run(&self) -> CommandResult {
        if let (Some(report), file) = (&self.report, &self.change.output_file)
            && Some(report) == file.as_ref()
        {
            return Err(CommandError::Usage("--report and --output-file are one file".to_owned()));
        }
        let document = self.change.read("prune")?;
        let options = Options {
            channels: self.channel.clone(),
            samples: self.sample.clone(),
            modifiers: self.modifier.clone(),
            modifier_types: self.modifier_type.clone(),
            measurements: self.measurement.clone(),
            selectors: self.selector.clone(),
            smaller_than: self.smaller_than,
            compat: self.change.reading.compat(),
        };
        let (edited, dropped) = prune(&document, &options).map_err(|findings| self.change.fail(findings))?;
        self.tell(&dropped);
        if let Some(file) = self.report.as_deref() {
            write_json(&PruneReport { dropped, smaller_than: self.smaller_than }, Some(file))?;
        }
        self.change.write(&edited)
    }

    fn tell(&self, dropped: &[Dropped]) {
        let kinds = [
            (Kind::Channel, "channels"),
            (Kind::Sample, "samples"),
            (Kind::Modifier, "modifiers"),
            (Kind::Measurement, "measurements"),
            (Kind::Parameter, "parameter settings"),
            (Kind::Observation, "observations"),
        ];
        let counts = kinds.iter().filter_map(|(kind, words)| {
            let n = dropped.iter().filter(|dropped| dropped.what == *kind).count();
            let word = if n == 1 { words.trim_end_matches('s') } else { words };
            (n > 0).then(|| format!("{n} {word}"))
        });
        let counts: Vec<String> = counts.collect();
        note(&format!("left out: {}", if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") }));
        let small: Vec<(&Dropped, f64)> = dropped.iter().filter_map(|one| Some((one, one.size?))).collect();
        for (one, size) in small.iter().take(MOST_TOLD) {
            let text = |text: &Option<String>| text.clone().unwrap_or_default();
            note(&format!(
                "left out as too small: {} {} of {} in {}, {}",
                text(&one.kind),
                quote(&one.name),
                quote(&text(&one.sample)),
                quote(&text(&one.channel)),
                number(*size)
            ));
        }
        if let Some(more) = small.len().checked_sub(MOST_TOLD).filter(|more| *more > 0) {
            note(&format!("left out as too small: {more} more, which --report lists"));
        }
    }
}

fn fraction(text: &str) -> Result<f64, String> {
    let number = text.trim().parse::<f64>().ok().filter(|x| x.is_finite() && *x >= 0.0);
    number.ok_or_else(|| "expected a fraction such as 0.001, at least 0".to_owned())
}
