//! Measurements: parameter of interest, luminosity, settings of parameters.

use super::channel::flag;
use super::xml::{Element, Told};
use crate::document::workspace::{Measurement, MeasurementConfig, ParameterConfig};
use crate::finding::quote;

/// The range of the luminosity, in its uncertainties.
const LUMI_RANGE: f64 = 5.0;

/// One measurement; `configs` are those of the normfactors.
pub(super) fn read(element: &Element, configs: &[ParameterConfig], told: &mut Told) -> Option<Measurement> {
    element.attributes(&["Name", "Lumi", "LumiRelErr"], &["ExportOnly", "Mode"], told);
    element.children(&["POI", "ParamSetting"], told);
    let name = element.needed("Name", told);
    let (lumi, relative) = (element.number("Lumi", told), element.number("LumiRelErr", told));
    let all = element.all("POI");
    let poi = match all.first() {
        Some(poi) if poi.text().contains(char::is_whitespace) => {
            poi.wrong(quote(&poi.text()), "one parameter of interest: a workspace has no more", told);
            None
        }
        Some(poi) => Some(poi.text()),
        None => {
            element.wrong("a measurement without POI", "POI, which may be empty", told);
            None
        }
    };
    for other in all.iter().skip(1) {
        other.dropped("a second POI", "one: the first counts, as in pyhf", told);
    }
    let (lumi, relative) = (lumi?, relative?);
    let sigma = lumi * relative;
    let mut luminosity = ParameterConfig {
        name: "lumi".to_owned(),
        auxdata: Some(vec![lumi]),
        bounds: Some(vec![vec![lumi - LUMI_RANGE * sigma, lumi + LUMI_RANGE * sigma]]),
        inits: Some(vec![lumi]),
        sigmas: Some(vec![sigma]),
        ..ParameterConfig::default()
    };
    let mut own = configs.to_vec();
    for setting in element.all("ParamSetting") {
        set(&setting, &mut luminosity, &mut own, told);
    }
    let parameters = std::iter::once(luminosity).chain(own).collect();
    Some(Measurement { name: name?.to_owned(), config: MeasurementConfig { poi: poi?, parameters } })
}

/// `ParamSetting`: its attributes for all parameters that its text names, in ROOT's words.
fn set(setting: &Element, luminosity: &mut ParameterConfig, own: &mut Vec<ParameterConfig>, told: &mut Told) {
    setting.attributes(&["Const", "Val"], &[], told);
    let fixed = flag(setting.attribute("Const"));
    let value = match setting.attribute("Val").filter(|text| !text.is_empty()) {
        None => None,
        Some(_) => match setting.number("Val", told) {
            None => return,
            value => value.map(|value| vec![value]),
        },
    };
    let update = |config: &mut ParameterConfig| {
        config.fixed = fixed.or(config.fixed);
        config.inits = value.clone().or(config.inits.take());
    };
    for name in setting.text().split_whitespace() {
        if name.starts_with("gamma_") {
            let expected = "parameters of one value: pyhf cannot set single bins";
            setting.wrong(quote(name), expected, told);
            continue;
        }
        let name = match name {
            "Lumi" => "lumi",
            _ => name.strip_prefix("alpha_").filter(|rest| !rest.is_empty()).unwrap_or(name),
        };
        if name == "lumi" {
            update(luminosity);
            continue;
        }
        // Those that are set come last, as in pyhf.
        let at = own.iter().position(|config| config.name == name);
        let known = at.map(|at| own.remove(at));
        let mut config = known.unwrap_or(ParameterConfig { name: name.to_owned(), ..ParameterConfig::default() });
        update(&mut config);
        own.push(config);
    }
}
