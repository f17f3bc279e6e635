//! Measurements and the settings of parameters.

use super::channel::factor;
use super::element::Element;
use super::{Export, Kind};
use crate::document::workspace::{Measurement, ParameterConfig};
use crate::finding::quote;

/// How far the luminosity may go from its value, in its uncertainties, as readers of XML have it.
const LUMI_RANGE: f64 = 5.0;

impl Export<'_> {
    pub(super) fn measurement(&mut self, index: usize) -> Element {
        let workspace = self.workspace;
        let measurement = &workspace.measurements[index];
        let pointer = format!("/measurements/{index}");
        let mut element = Element::new("Measurement");
        element.set("Name", measurement.name.clone());
        self.luminosity(measurement, &pointer, &mut element);
        element.set("ExportOnly", "True");
        if measurement.config.poi.contains(char::is_whitespace) {
            self.lose(
                &pointer,
                format!("the parameter of interest {}", quote(&measurement.config.poi)),
                "a name without spaces",
            );
        }
        element.add(Element::with_text("POI", measurement.config.poi.clone()));
        // One element a parameter: readers keep the order of those that are set.
        for (i, config) in measurement.config.parameters.iter().enumerate() {
            let pointer = format!("{pointer}/config/parameters/{i}");
            let Some(name) = self.root_name(config, &pointer) else { continue };
            let value = self.value(index, config, &pointer);
            if config.fixed.is_none() && value.is_none() {
                continue;
            }
            let mut setting = Element::with_text("ParamSetting", name);
            if let Some(fixed) = config.fixed {
                setting.set("Const", if fixed { "True" } else { "False" });
            }
            if let Some(value) = value {
                setting.set_number("Val", value);
            }
            element.add(setting);
        }
        element
    }

    fn luminosity(&mut self, measurement: &Measurement, pointer: &str, element: &mut Element) {
        let config = measurement.config.parameters.iter().find(|config| config.name == "lumi");
        let first = |list: Option<&Vec<f64>>| list.and_then(|list| list.first().copied());
        let lumi = first(config.and_then(|c| c.auxdata.as_ref()));
        let sigma = first(config.and_then(|c| c.sigmas.as_ref()));
        let (lumi, sigma) = (lumi.unwrap_or(1.0), sigma.unwrap_or(0.0));
        if lumi == 0.0 && sigma != 0.0 {
            self.lose(
                pointer,
                "a luminosity of 0 with an uncertainty",
                "one that is not 0: in XML the uncertainty is relative",
            );
        }
        element.set_number("Lumi", lumi);
        let near = [sigma / lumi, (sigma / lumi).next_up(), (sigma / lumi).next_down()];
        let relative = near.into_iter().find(|r| r * lumi == sigma).unwrap_or(near[0]);
        element.set_number("LumiRelErr", if lumi == 0.0 { 0.0 } else { relative });
        let wanted = [lumi - LUMI_RANGE * sigma, lumi + LUMI_RANGE * sigma];
        let own = config.and_then(|c| c.bounds.as_ref()).and_then(|bounds| bounds.first());
        let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12 * lumi.abs().max(sigma);
        if own.is_some_and(|own| own.len() != 2 || !own.iter().zip(&wanted).all(close)) {
            self.lose(
                pointer,
                "another range of the luminosity",
                "five uncertainties on both sides, as readers of XML have it",
            );
        }
    }

    /// The name of a parameter in ROOT's words; nothing where there is nothing to set or no way to do so.
    fn root_name(&mut self, config: &ParameterConfig, pointer: &str) -> Option<String> {
        let name = match self.kinds.get(config.name.as_str()) {
            None if config.name == "lumi" => "Lumi".to_owned(),
            Some(Kind::Lumi) => "Lumi".to_owned(),
            Some(Kind::Factor) => config.name.clone(),
            Some(Kind::Alpha) => {
                self.check_alpha(config, pointer);
                format!("alpha_{}", config.name)
            }
            Some(Kind::Gamma) => {
                self.lose(
                    pointer,
                    format!("settings of {}", quote(&config.name)),
                    "none for parameters of single bins: pyhf reads none",
                );
                return None;
            }
            // Of a parameter that is not there.
            None => return None,
        };
        if name.contains(char::is_whitespace) && (config.fixed.is_some() || config.inits.is_some()) {
            self.lose(pointer, format!("settings of {}", quote(&config.name)), "a name without spaces");
            return None;
        }
        Some(name)
    }

    /// Ranges and constraints of normsys and histosys are always the same in XML.
    fn check_alpha(&mut self, config: &ParameterConfig, pointer: &str) {
        let range = config.bounds.as_ref().is_some_and(|bounds| *bounds != [vec![-5.0, 5.0]]);
        let centre = config.auxdata.as_ref().is_some_and(|aux| *aux != [0.0]);
        let width = config.sigmas.as_ref().is_some_and(|sigmas| *sigmas != [1.0]);
        for (differs, what) in [(range, "range"), (centre, "auxdata"), (width, "width")] {
            if differs {
                let found = format!("another {what} of {}", quote(&config.name));
                self.lose(pointer, found, "[-5, 5] and N(0 | α, 1), as readers of XML have it");
            }
        }
    }

    /// Where a parameter starts, if the XML does not say so elsewhere.
    fn value(&mut self, measurement: usize, config: &ParameterConfig, pointer: &str) -> Option<f64> {
        let own = config.inits.as_ref()?.first().copied()?;
        match self.kinds.get(config.name.as_str()) {
            Some(Kind::Factor) => {
                // The channels have those of the first measurement.
                let (value, low, high) = factor(self.config(0, &config.name));
                let (_, own_low, own_high) = factor(Some(config));
                if (low, high) != (own_low, own_high) && measurement > 0 {
                    let found = format!("another range of {} than in the first measurement", quote(&config.name));
                    self.lose(pointer, found, "one range: in XML it belongs to the channels");
                }
                (own != value).then_some(own)
            }
            Some(Kind::Alpha) => Some(own),
            _ => {
                let lumi = config.auxdata.as_ref().and_then(|aux| aux.first().copied());
                (Some(own) != lumi).then_some(own)
            }
        }
    }
}
