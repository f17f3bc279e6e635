//! What all parts of the audit look at: the model with its yields before the fit.

use super::{Finding, Places, Subject, Thresholds};
use crate::kernel::Evaluator;
use crate::model::{Constraint, Effect, Part, Sample};
use crate::program::Program;

pub(super) struct Context<'a> {
    pub subject: Subject<'a>,
    pub thresholds: &'a Thresholds,
    pub program: Program,
    /// Of the scalar parameters, with the name of the set of each.
    pub names: Vec<String>,
    pub set_names: Vec<&'a str>,
    pub constraints: Vec<Option<Constraint>>,
    pub bounds: Vec<(f64, f64)>,
    /// Values of functions, which no fit moves by itself.
    pub is_driven: Vec<bool>,
    /// The first bin of each channel among all.
    pub first_bin: Vec<usize>,
    /// λ before the fit: by channel, sample, bin.
    pub rates: Vec<Vec<Vec<f64>>>,
    /// ν before the fit, all bins in order.
    pub expected: Vec<f64>,
}

impl<'a> Context<'a> {
    pub fn new(subject: Subject<'a>, thresholds: &'a Thresholds) -> Context<'a> {
        let model = subject.model;
        let program = Program::compile(model);
        let mut evaluator = Evaluator::new(&program);
        let mut cells = vec![0.0; program.n_cells()];
        evaluator.rates(subject.point, &mut cells);
        let (mut expected, mut auxiliary) = (vec![0.0; program.n_bins()], vec![0.0; program.n_auxdata()]);
        evaluator.expected(subject.point, &mut expected, &mut auxiliary);
        let (mut rates, mut first_bin, mut cells) = (Vec::new(), Vec::new(), cells.into_iter());
        let mut first = 0;
        for channel in &model.channels {
            let one = |_: &Sample| cells.by_ref().take(channel.n_bins).collect::<Vec<f64>>();
            rates.push(channel.samples.iter().map(one).collect());
            first_bin.push(first);
            first += channel.n_bins;
        }
        let mut is_driven = vec![false; subject.point.len()];
        let outputs = model.driven.iter().flat_map(|driven| driven.outputs.iter());
        outputs.for_each(|&i| is_driven.iter_mut().skip(i).take(1).for_each(|flag| *flag = true));
        let set_names = model.parameters.iter().flat_map(|set| std::iter::repeat_n(set.name.as_str(), set.len()));
        let set_names = set_names.collect();
        drop(evaluator);
        Context {
            thresholds,
            names: model.parameter_names(),
            set_names,
            constraints: model.constraints(),
            bounds: model.bounds(),
            is_driven,
            first_bin,
            rates,
            expected,
            program,
            subject,
        }
    }

    pub fn threshold(&self, name: &str) -> f64 {
        self.thresholds.get(name)
    }

    pub fn places(&self) -> &'a Places {
        self.subject.places
    }

    pub fn is_free(&self, parameter: usize) -> bool {
        !self.subject.fixed[parameter] && !self.is_driven[parameter]
    }

    /// The parameter is a factor of staterror or shapesys.
    pub fn is_gamma(&self, parameter: usize) -> bool {
        let places = self.places().of_parameter(self.set_names[parameter]);
        places.iter().any(|place| matches!(place.kind, "staterror" | "shapesys"))
    }

    /// ν of the bins of a channel.
    pub fn expected_of(&self, channel: usize) -> &[f64] {
        let first = self.first_bin[channel];
        &self.expected[first..first + self.subject.model.channels[channel].n_bins]
    }

    /// Observed counts of a channel.
    pub fn counts_of(&self, channel: usize) -> &'a [f64] {
        let first = self.first_bin[channel];
        &self.subject.data.main[first..first + self.subject.model.channels[channel].n_bins]
    }

    /// A finding's place: a channel.
    pub fn at_channel(&self, finding: Finding, channel: usize) -> Finding {
        let name = &self.subject.model.channels[channel].name;
        Finding { channel: Some(name.clone()), pointer: self.places().channel(name), ..finding }
    }

    /// A finding's place: a sample of a channel.
    pub fn at_sample(&self, finding: Finding, channel: usize, sample: usize) -> Finding {
        let own = &self.subject.model.channels[channel];
        let name = &own.samples[sample].name;
        let pointer = self.places().sample(&own.name, name);
        Finding { channel: Some(own.name.clone()), sample: Some(name.clone()), pointer, ..finding }
    }

    /// A finding's place: the modifiers of a sample that a parameter drives.
    pub fn at_modifier(&self, finding: Finding, channel: usize, sample: usize, parameter: usize) -> Finding {
        let own = &self.subject.model.channels[channel];
        let name = self.set_names[parameter];
        let found = self.places().modifiers(&own.name, &own.samples[sample].name, name);
        let mut finding = self.at_sample(finding, channel, sample);
        finding.pointer = found.first().map(|place| place.pointer.clone()).or(finding.pointer);
        finding.types = found.iter().map(|place| place.kind).collect();
        finding.modifier = Some(name.to_owned());
        finding.parameters = vec![self.names[parameter].clone()];
        finding
    }

    /// A finding's place: the first modifier of a parameter, with the types of all.
    pub fn at_parameter(&self, finding: Finding, parameter: usize) -> Finding {
        let name = self.set_names[parameter];
        let all = self.places().of_parameter(name);
        let mut types: Vec<&'static str> = all.iter().map(|place| place.kind).collect();
        types.sort_unstable();
        types.dedup();
        let pointer = all.first().map(|place| place.pointer.clone());
        Finding { modifier: Some(name.to_owned()), pointer, types, ..finding }
    }

    /// What this does not look at.
    pub fn left_out(&self, to: &mut Vec<String>) {
        let model = self.subject.model;
        let responding = model.parts().filter(|part| part.response.is_some()).count();
        if responding > 0 {
            to.push(format!(
                "variations of {responding} samples or parts with an EFT response: eft inspect and eft validity look at those"
            ));
        }
        let driven = self.is_driven.iter().filter(|driven| **driven).count();
        if driven > 0 {
            to.push(format!("variations along {driven} parameters that are functions of others"));
        }
        if !model.unbinned.is_empty() {
            to.push(format!("{} unbinned terms", model.unbinned.len()));
        }
        if !model.measurements.sets.is_empty() {
            to.push(format!("{} measurements with Gaussian errors", model.measurements.sets.len()));
        }
        if model.densities.is_some() {
            to.push("densities over events, and constraints of several parameters".to_owned());
        }
    }
}

/// The effect follows one parameter for all bins and interpolates: normsys or histosys.
pub(super) fn is_interpolated(effect: &Effect) -> bool {
    matches!(effect, Effect::Offset { .. } | Effect::InterpolatedScale { .. })
}

/// A response multiplies some part of the sample.
pub(super) fn responds(sample: &Sample) -> bool {
    sample.parts.iter().any(|part| part.response.is_some())
}

/// A parameter multiplies some part of the sample as normfactor and lumi do.
pub(super) fn is_scaled_by(sample: &Sample, parameter: usize) -> bool {
    let scales =
        |part: &Part| part.effects.iter().any(|e| matches!(e, Effect::Scale { parameter: p } if *p == parameter));
    let responds = |part: &Part| part.response.iter().any(|response| response.parameters.contains(&parameter));
    sample.parts.iter().any(|part| scales(part) || responds(part))
}

/// The bins with a flag that is set.
pub(super) fn which(flags: impl IntoIterator<Item = bool>) -> Vec<usize> {
    flags.into_iter().enumerate().filter(|(_, flag)| *flag).map(|(bin, _)| bin).collect()
}
