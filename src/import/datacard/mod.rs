//! Datacards of CMS Combine (spec/combine-datacards.md) → a likelihood of channels.
//!
//! * `card`, `lines`: the text, and what each of its lines says;
//! * `templates`: histograms that its `shapes` lines name;
//! * `formula`: Combine's interpolations as formulas;
//! * `parameters`: what moves, with ranges and constraints;
//! * `morphing`: templates that shape systematics move;
//! * `mc_stats`: autoMCStats;
//! * `build`: all of it as channels, samples and modifiers;
//! * `unused`: what nothing depends on is told and left out.

mod build;
mod card;
mod formula;
mod lines;
mod mc_stats;
mod morphing;
mod parameters;
mod templates;
mod unused;

use crate::convert::Content;
use crate::finding::{Finding, Findings, Result};
use crate::root_file::RootFile;
use crate::rule::{self, Rule};

/// What a caller adds to a card.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DatacardOptions {
    /// What `$MASS` stands for.
    pub mass: Option<f64>,
}

/// A card as a likelihood, and what was not carried over.
#[derive(Clone, Debug)]
pub struct Datacard {
    pub content: Content,
    pub warnings: Findings,
}

/// Opens the ROOT files that a card names.
pub type Open<'o> = dyn FnMut(&str) -> std::result::Result<RootFile, String> + 'o;

/// Reads a card; `open` is asked once for each file.
///
/// # Errors
/// All that is wrong with the card, or that has no form here, with lines.
pub fn read(text: &str, options: &DatacardOptions, open: &mut Open) -> Result<Datacard> {
    let mut problems = Problems::default();
    let card = card::Card::read(text, &mut problems);
    let templates = templates::Templates::new(options, open);
    let content = card.and_then(|card| build::build(&card, templates, &mut problems));
    problems.0.0.sort_by_key(|finding| finding.line);
    match content.filter(|_| problems.0.is_valid()) {
        Some(content) => Ok(Datacard { content, warnings: problems.0 }),
        None => Err(problems.0),
    }
}

/// Findings with their lines.
#[derive(Debug, Default)]
struct Problems(Findings);

impl Problems {
    fn add(&mut self, rule: &Rule, line: usize, found: impl Into<String>, expected: impl Into<String>) {
        self.0.push(Finding::new(rule, found, expected).at_line(line, 1));
    }

    /// A line that is not as Combine reads it.
    fn syntax(&mut self, line: usize, found: impl Into<String>, expected: impl Into<String>) {
        self.add(&rule::DATACARD_SYNTAX, line, found, expected);
    }

    /// Something that Combine knows and that has no form here.
    fn refuse(&mut self, line: usize, found: impl Into<String>, expected: impl Into<String>) {
        self.add(&rule::DATACARD_UNSUPPORTED, line, found, expected);
    }

    fn template(&mut self, line: usize, found: impl Into<String>, expected: impl Into<String>) {
        self.add(&rule::DATACARD_TEMPLATE, line, found, expected);
    }

    fn dropped(&mut self, line: usize, found: impl Into<String>, expected: impl Into<String>) {
        self.add(&rule::DATACARD_DROPPED, line, found, expected);
    }
}
