//! Channels with their samples and modifiers.

use super::Export;
use super::element::{Element, is_writable};
use crate::document::workspace::{Channel, Modifier, ParameterConfig, Sample};
use crate::finding::{Finding, escape_token, quote};
use crate::rule;
use std::collections::HashSet;

/// pyhf's defaults of a normfactor.
const FACTOR: (f64, f64, f64) = (1.0, 0.0, 10.0);

impl Export<'_> {
    /// A channel with its name.
    pub(super) fn channel(&mut self, index: usize) -> (String, Element) {
        let workspace = self.workspace;
        let channel = &workspace.channels[index];
        let pointer = format!("/channels/{index}");
        self.check_name(&channel.name, &pointer);
        let mut element = Element::new("Channel");
        element.set("Name", channel.name.clone());
        element.set("InputFile", self.data.clone());
        if let Some(observed) = workspace.observations.iter().find(|o| o.name == channel.name) {
            let mut data = Element::new("Data");
            data.set("HistoName", self.histograms.add(&[&channel.name, "data"], "", &observed.data, None));
            element.add(data);
        }
        self.staterrors(channel, &pointer);
        if channel.samples.iter().any(|s| s.modifiers.iter().any(|m| matches!(m, Modifier::Staterror { .. }))) {
            // Else ROOT leaves out bins with small uncertainties, which pyhf keeps.
            let mut config = Element::new("StatErrorConfig");
            config.set_number("RelErrorThreshold", 0.0);
            config.set("ConstraintType", "Gaussian");
            element.add(config);
        }
        for (i, sample) in channel.samples.iter().enumerate() {
            let sample = self.sample(channel, sample, &format!("{pointer}/samples/{i}"));
            element.add(sample);
        }
        (channel.name.clone(), element)
    }

    /// A channel has one staterror in XML, without a name.
    fn staterrors(&mut self, channel: &Channel, pointer: &str) {
        let of = |channel: &Channel| {
            let modifiers = channel.samples.iter().flat_map(|s| &s.modifiers);
            let names = modifiers.filter(|m| matches!(m, Modifier::Staterror { .. })).map(|m| m.name().to_owned());
            names.collect::<HashSet<String>>()
        };
        let own = of(channel);
        if own.len() > 1 {
            let found = format!("{} staterrors in {}", own.len(), quote(&channel.name));
            self.lose(pointer, found, "one: in XML they have no names");
        }
        let elsewhere = |name: &String| {
            self.workspace.channels.iter().any(|other| other.name != channel.name && of(other).contains(name))
        };
        if let Some(name) = own.iter().find(|name| elsewhere(name)) {
            self.lose(pointer, format!("{} in several channels", quote(name)), "a staterror of one channel");
        }
        let written = format!("staterror_{}", channel.name);
        for name in own.iter().filter(|name| **name != written) {
            let expected = format!("the name {}, as readers of XML make it", quote(&written));
            self.losses.push(Finding::new(&rule::CONVERT_RENAMED, quote(name), expected).at(pointer));
        }
    }

    fn sample(&mut self, channel: &Channel, sample: &Sample, pointer: &str) -> Element {
        self.check_name(&sample.name, pointer);
        let mut staterrors = sample.modifiers.iter().filter_map(|modifier| match modifier {
            Modifier::Staterror { data, .. } => Some(data.as_slice()),
            _ => None,
        });
        let errors = staterrors.next();
        if staterrors.next().is_some() {
            self.lose(pointer, format!("two staterrors of {}", quote(&sample.name)), "one");
        }
        let mut element = Element::new("Sample");
        element.set("Name", sample.name.clone());
        element.set("HistoName", self.histograms.add(&[&channel.name, &sample.name], "", &sample.data, errors));
        let has_lumi = sample.modifiers.iter().any(|m| matches!(m, Modifier::Lumi { .. }));
        element.set("NormalizeByTheory", if has_lumi { "True" } else { "False" });
        for (i, modifier) in sample.modifiers.iter().enumerate() {
            let pointer = format!("{pointer}/modifiers/{i}");
            self.check_name(modifier.name(), &pointer);
            if let Some(modifier) = self.modifier(channel, sample, modifier, &pointer) {
                element.add(modifier);
            }
        }
        element
    }

    fn modifier(&mut self, channel: &Channel, sample: &Sample, modifier: &Modifier, pointer: &str) -> Option<Element> {
        let parts = [channel.name.as_str(), &sample.name, modifier.name()];
        let with_name = |tag: &'static str| {
            let mut element = Element::new(tag);
            element.set("Name", modifier.name());
            element
        };
        Some(match modifier {
            Modifier::Lumi { .. } => return None,
            Modifier::Histosys { data, .. } => {
                let mut element = with_name("HistoSys");
                element.set("HistoNameLow", self.histograms.add(&parts, "Low", &data.lo_data, None));
                element.set("HistoNameHigh", self.histograms.add(&parts, "High", &data.hi_data, None));
                element
            }
            Modifier::Normsys { data, .. } => {
                let mut element = with_name("OverallSys");
                element.set_number("Low", data.lo);
                element.set_number("High", data.hi);
                element
            }
            Modifier::Normfactor { name, .. } => {
                let (value, low, high) = factor(self.config(0, name));
                let mut element = with_name("NormFactor");
                element.set_number("Val", value);
                element.set_number("Low", low);
                element.set_number("High", high);
                element
            }
            Modifier::Shapefactor { .. } => with_name("ShapeFactor"),
            Modifier::Shapesys { data, .. } => {
                let relative = self.relative(data, &sample.data, pointer);
                let mut element = with_name("ShapeSys");
                element.set("ConstraintType", "Poisson");
                element.set("HistoName", self.histograms.add(&parts, "", &relative, None));
                element
            }
            Modifier::Staterror { .. } => {
                // The errors are those of the sample's histogram.
                let mut element = Element::new("StatError");
                element.set("Activate", "True");
                element
            }
            other => {
                let found = format!("the modifier {} of the EFT extension", quote(other.name()));
                self.lose(pointer, found, "one of HistFactory's types");
                return None;
            }
        })
    }

    /// Uncertainties relative to the yields, such that their product is what it was, where there is such a number.
    fn relative(&mut self, absolute: &[f64], nominal: &[f64], pointer: &str) -> Vec<f64> {
        let one = |(e, n): (&f64, &f64)| if *n == 0.0 { 0.0 } else { quotient(*e, *n) };
        let relative: Vec<f64> = absolute.iter().zip(nominal).map(one).collect();
        let bins = absolute.iter().zip(nominal).filter(|(e, n)| **n == 0.0 && **e != 0.0).count();
        if bins > 0 {
            let found = format!("an uncertainty in {bins} bins without yields");
            self.lose(pointer, found, "yields there: in XML uncertainties are relative to them");
        }
        relative
    }

    /// XML has no form for some control characters.
    fn check_name(&mut self, name: &str, pointer: &str) {
        if !is_writable(name) {
            self.lose(format!("{pointer}/{}", escape_token("name")), quote(name), "a name of characters that XML has");
        }
    }
}

/// e/n, or a neighbour whose product with n is e.
fn quotient(e: f64, n: f64) -> f64 {
    let first = e / n;
    let near = [first, first.next_up(), first.next_down()];
    near.into_iter().find(|r| r * n == e).unwrap_or(first)
}

/// Start and range of a normfactor.
pub(super) fn factor(config: Option<&ParameterConfig>) -> (f64, f64, f64) {
    let value = config.and_then(|c| c.inits.as_ref()).and_then(|inits| inits.first().copied());
    let range = config.and_then(|c| c.bounds.as_ref()).and_then(|bounds| bounds.first());
    let range = match range.map(Vec::as_slice) {
        Some([low, high]) => (*low, *high),
        _ => (FACTOR.1, FACTOR.2),
    };
    (value.unwrap_or(FACTOR.0), range.0, range.1)
}
