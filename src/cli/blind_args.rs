//! What a command must not show, or not see.

use super::CommandError;
use super::model_args::{Prepared, positive};
use crate::infer::FitResult;
use crate::infer::blind::{Kept, hidden_offset};
use crate::model::Model;
use crate::report::by_name::did_you_mean;
use crate::report::text;
use clap::Args;

/// Options of commands that report the value of the parameter of interest.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Blinding")]
pub struct BlindPoiArgs {
    /// Shift the reported value of the parameter of interest by a hidden offset that WORD fixes
    #[arg(long, value_name = "WORD")]
    pub blind_poi: Option<String>,
    /// Typical size of the hidden offset
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = positive, requires = "blind_poi")]
    pub blind_width: f64,
}

impl BlindPoiArgs {
    /// The offset; nothing where nothing is hidden.
    ///
    /// # Errors
    /// Where there is no parameter of interest.
    pub fn offset(&self, model: &Model) -> Result<Option<f64>, CommandError> {
        let Some(word) = &self.blind_poi else { return Ok(None) };
        if word.is_empty() {
            return Err(CommandError::Usage("--blind-poi: an empty word hides nothing from anybody".to_owned()));
        }
        let name = model.poi.and_then(|poi| model.parameter_names().get(poi).cloned());
        let name =
            name.ok_or_else(|| CommandError::Message("--blind-poi: there is no parameter of interest".into()))?;
        Ok(Some(hidden_offset(word, &name, self.blind_width)))
    }

    /// Hides the value of the parameter of interest in a result. True where something was hidden.
    pub fn hide(&self, prepared: &Prepared, result: &mut FitResult) -> Result<bool, CommandError> {
        let offset = self.offset(&prepared.model)?;
        if let (Some(offset), Some(poi)) = (offset, prepared.model.poi) {
            if let Some(value) = result.parameters.get_mut(poi) {
                *value += offset;
            }
            result.at_limit.retain(|i| *i != poi);
            for minimum in result.minima.iter_mut().flat_map(|minima| &mut minima.found) {
                if let Some(value) = minimum.parameters.get_mut(poi) {
                    *value += offset;
                }
                minimum.at_limit.retain(|i| *i != poi);
            }
        }
        Ok(offset.is_some())
    }
}

/// The channels of which one of the patterns (names or globs) speaks, one flag a channel.
///
/// # Errors
/// Usage, where a pattern matches no channel.
pub fn channels(model: &Model, flag: &str, patterns: &[String]) -> Result<Vec<bool>, CommandError> {
    let names: Vec<&str> = model.channels.iter().map(|channel| channel.name.as_str()).collect();
    chosen(&names, "channel", flag, patterns)
}

/// The data sets of which none of the patterns (names or globs) speaks: channels, measurements, unbinned terms.
///
/// # Errors
/// Usage, where a pattern matches no data set.
pub fn kept(model: &Model, flag: &str, patterns: &[String]) -> Result<Kept, CommandError> {
    let channels = model.channels.iter().map(|channel| channel.name.as_str());
    let measurements = model.measurements.sets.iter().map(|set| set.name.as_str());
    let unbinned = model.unbinned.iter().map(|term| term.name.as_str());
    let names: Vec<&str> = channels.chain(measurements).chain(unbinned).collect();
    let mut kept = chosen(&names, "channel, measurement or unbinned term", flag, patterns)?;
    kept.iter_mut().for_each(|flag| *flag = !*flag);
    let unbinned = kept.split_off(kept.len() - model.unbinned.len());
    let measurements = kept.split_off(model.channels.len());
    Ok(Kept { channels: kept, measurements, unbinned })
}

/// One flag a name.
fn chosen(names: &[&str], what: &str, flag: &str, patterns: &[String]) -> Result<Vec<bool>, CommandError> {
    let mut chosen = vec![false; names.len()];
    for pattern in patterns {
        let usage = |message: String| CommandError::Usage(format!("{flag} {}: {message}", text::label(pattern)));
        let glob = globset::Glob::new(pattern).map_err(|e| usage(e.to_string()))?.compile_matcher();
        let mut found = false;
        for (name, chosen) in names.iter().zip(&mut chosen) {
            if *name == pattern || glob.is_match(name) {
                *chosen = true;
                found = true;
            }
        }
        if !found {
            let hint = did_you_mean(pattern, names.iter().copied());
            return Err(usage(format!("no such {what}{hint}")));
        }
    }
    Ok(chosen)
}
