//! Channels with their samples and modifiers.

use super::Configs;
use super::files::{Files, Wanted};
use super::xml::{Element, Source, Told};
use crate::document::workspace::{Channel, HistosysData, Modifier, NormsysData, ParameterConfig, Sample};
use crate::finding::{number, quote};
use crate::root_file::Histogram;

/// What the elements below take where they say nothing themselves.
#[derive(Clone, Copy)]
struct Inherited<'i> {
    file: &'i str,
    path: &'i str,
}

/// ROOT's default of RelErrorThreshold.
const THRESHOLD: f64 = 0.05;

/// A channel with the counts of its bins.
pub(super) fn read(
    name: &str,
    text: &str,
    files: &mut Files,
    configs: &mut Configs,
    told: &mut Told,
) -> Option<(Channel, Vec<f64>)> {
    let source = Source::parse(name, text, told)?;
    let root = source.root("Channel", told)?;
    root.attributes(&["Name", "InputFile", "HistoPath"], &[], told);
    root.children(&["Data", "StatErrorConfig", "Sample"], told);
    let own = root.needed("Name", told).map(str::to_owned);
    let above = Inherited {
        file: root.attribute("InputFile").unwrap_or_default(),
        path: root.attribute("HistoPath").unwrap_or_default(),
    };
    let data = observed(&root, above, files, told);
    let mut reader = Reader { channel: own.clone().unwrap_or_default(), files, configs, told };
    let samples: Vec<Option<Sample>> = root.all("Sample").iter().map(|s| reader.sample(s, above)).collect();
    let samples = samples.into_iter().collect::<Option<Vec<Sample>>>();
    if samples.as_ref().is_some_and(Vec::is_empty) {
        root.wrong("a channel without samples", "at least one Sample", told);
        return None;
    }
    let channel = Channel { name: own?, samples: samples? };
    stat_error_config(&root, &channel, told);
    Some((channel, data?))
}

fn observed(root: &Element, above: Inherited, files: &mut Files, told: &mut Told) -> Option<Vec<f64>> {
    let all = root.all("Data");
    let Some(data) = all.first() else {
        root.wrong("a channel without Data", "a histogram of the observed counts: there are no Asimov data here", told);
        return None;
    };
    for other in &all[1..] {
        other.dropped("a second Data", "one: the first counts, as in pyhf", told);
    }
    data.attributes(&["InputFile", "HistoPath", "HistoName"], &["Name"], told);
    let wanted = Wanted {
        file: data.attribute("InputFile").unwrap_or(above.file),
        path: data.attribute("HistoPath").unwrap_or(above.path),
        inherited: "",
        name: data.needed("HistoName", told)?,
    };
    files.histogram(data, &wanted, told).map(|histogram| histogram.contents)
}

/// What ROOT does with statistical uncertainties and pyhf does not.
fn stat_error_config(root: &Element, channel: &Channel, told: &mut Told) {
    let all = root.all("StatErrorConfig");
    let config = all.first();
    if let Some(config) = config {
        config.attributes(&["RelErrorThreshold", "ConstraintType"], &[], told);
        match config.attribute("ConstraintType") {
            None | Some("Gaussian" | "Gauss") => {}
            Some(other) => {
                let found = format!("ConstraintType {} of statistical uncertainties", quote(other));
                config.dropped(found, "Gaussian, which every staterror of pyhf has", told);
            }
        }
    }
    let threshold = config.map_or(Some(THRESHOLD), |config| match config.attribute("RelErrorThreshold") {
        None => Some(THRESHOLD),
        Some(text) => text.trim().parse().ok(),
    });
    let (Some(threshold), Some(bins)) = (threshold, channel.samples.first().map(|s| s.data.len())) else {
        return root.wrong("a RelErrorThreshold that is no number", "a number", told);
    };
    let mut sums = vec![(0.0, 0.0); bins];
    for sample in &channel.samples {
        let own = sample.modifiers.iter().find_map(|modifier| match modifier {
            Modifier::Staterror { data, .. } => Some(data),
            _ => None,
        });
        for ((sum, n), e) in sums.iter_mut().zip(&sample.data).zip(own.into_iter().flatten()) {
            (sum.0, sum.1) = (sum.0 + n, sum.1 + e * e);
        }
    }
    let below = sums.iter().filter(|(n, e)| *e > 0.0 && e.sqrt() < threshold * n).count();
    if below > 0 {
        let found = format!("{below} bins with a relative uncertainty below {}", number(threshold));
        let expected = "parameters of all bins, as pyhf has them: HistFactory has none of those";
        config.unwrap_or(root).dropped(found, expected, told);
    }
}

struct Reader<'r, 'o, 'f> {
    channel: String,
    files: &'r mut Files<'o, 'f>,
    configs: &'r mut Configs,
    told: &'r mut Told,
}

impl Reader<'_, '_, '_> {
    fn sample(&mut self, element: &Element, above: Inherited) -> Option<Sample> {
        element.attributes(&["Name", "InputFile", "HistoPath", "HistoName", "NormalizeByTheory"], &[], self.told);
        let above = Inherited {
            file: element.attribute("InputFile").unwrap_or(above.file),
            path: element.attribute("HistoPath").unwrap_or(above.path),
        };
        let name = element.needed("Name", self.told);
        let histogram = element.needed("HistoName", self.told)?;
        let wanted = Wanted { file: above.file, path: above.path, inherited: "", name: histogram };
        let nominal = self.files.histogram(element, &wanted, self.told)?;
        let mut modifiers = Vec::new();
        match element.attribute("NormalizeByTheory") {
            Some("True") => modifiers.push(Modifier::Lumi { name: "lumi".to_owned(), data: () }),
            None | Some("False") => {}
            Some(other) => {
                let found = format!("NormalizeByTheory {}", quote(other));
                element.wrong(found, "True or False", self.told);
            }
        }
        let mut complete = true;
        for child in element.elements() {
            match self.modifier(&child, above, &nominal) {
                Ok(modifier) => modifiers.extend(modifier),
                Err(Wrong) => complete = false,
            }
        }
        Some(Sample { name: name?.to_owned(), data: nominal.contents, modifiers }).filter(|_| complete)
    }

    fn modifier(
        &mut self,
        element: &Element,
        above: Inherited,
        nominal: &Histogram,
    ) -> Result<Option<Modifier>, Wrong> {
        Ok(Some(match element.tag() {
            "OverallSys" => {
                element.attributes(&["Name", "Low", "High"], &[], self.told);
                let name = self.name(element)?;
                let (lo, hi) = (element.number("Low", self.told), element.number("High", self.told));
                Modifier::Normsys { name, data: NormsysData { lo: lo.ok_or(Wrong)?, hi: hi.ok_or(Wrong)? } }
            }
            "NormFactor" => self.normfactor(element)?,
            "HistoSys" => self.histosys(element, above, nominal)?,
            "StatError" => return self.staterror(element, above, nominal),
            "ShapeSys" => self.shapesys(element, above, nominal)?,
            "ShapeFactor" => {
                element.attributes(&["Name"], &[], self.told);
                Modifier::Shapefactor { name: self.name(element)?, data: () }
            }
            other => {
                let found = format!("the modifier {other}");
                element.dropped(found, "one of HistFactory's: it is passed over, as pyhf does", self.told);
                return Ok(None);
            }
        }))
    }

    fn name(&mut self, element: &Element) -> Result<String, Wrong> {
        element.needed("Name", self.told).map(str::to_owned).ok_or(Wrong)
    }

    fn normfactor(&mut self, element: &Element) -> Result<Modifier, Wrong> {
        element.attributes(&["Name", "Val", "Low", "High", "Const"], &[], self.told);
        let name = self.name(element)?;
        let [value, low, high] = ["Val", "Low", "High"].map(|key| element.number(key, self.told));
        let (Some(value), Some(low), Some(high)) = (value, low, high) else { return Err(Wrong) };
        let config = ParameterConfig {
            name: name.clone(),
            bounds: Some(vec![vec![low, high]]),
            inits: Some(vec![value]),
            fixed: flag(element.attribute("Const")),
            ..ParameterConfig::default()
        };
        if !self.configs.add(config) {
            let found = format!("{} with another value, range or Const than elsewhere", quote(&name));
            element.wrong(found, "the same in all samples and channels", self.told);
            return Err(Wrong);
        }
        Ok(Modifier::Normfactor { name, data: () })
    }

    fn histosys(&mut self, element: &Element, above: Inherited, nominal: &Histogram) -> Result<Modifier, Wrong> {
        let known =
            ["Name", "HistoFileLow", "HistoPathLow", "HistoNameLow", "HistoFileHigh", "HistoPathHigh", "HistoNameHigh"];
        element.attributes(&known, &[], self.told);
        let name = self.name(element);
        let mut side = |side: &str| {
            let attribute = |what: &str| element.attribute(&format!("Histo{what}{side}"));
            let wanted = Wanted {
                file: attribute("File").unwrap_or(above.file),
                path: attribute("Path").unwrap_or_default(),
                inherited: above.path,
                name: element.needed(&format!("HistoName{side}"), self.told)?,
            };
            self.files.histogram(element, &wanted, self.told).filter(|h| fits(element, h, nominal, self.told))
        };
        let (lo, hi) = (side("Low"), side("High"));
        let (lo_data, hi_data) = (lo.ok_or(Wrong)?.contents, hi.ok_or(Wrong)?.contents);
        Ok(Modifier::Histosys { name: name?, data: HistosysData { lo_data, hi_data } })
    }

    fn staterror(
        &mut self,
        element: &Element,
        above: Inherited,
        nominal: &Histogram,
    ) -> Result<Option<Modifier>, Wrong> {
        element.attributes(&["Activate", "HistoName", "HistoFile", "InputFile", "HistoPath"], &[], self.told);
        match element.needed("Activate", self.told) {
            Some("True") => {}
            Some("False") => return Ok(None),
            Some(other) => {
                element.wrong(format!("Activate {}", quote(other)), "True or False", self.told);
                return Err(Wrong);
            }
            None => return Err(Wrong),
        }
        let data = match element.attribute("HistoName").filter(|name| !name.is_empty()) {
            None => nominal.errors.clone(),
            Some(name) => {
                let file = element.attribute("HistoFile").or(element.attribute("InputFile"));
                let path = element.attribute("HistoPath").unwrap_or_default();
                let wanted = Wanted { file: file.unwrap_or(above.file), path, inherited: above.path, name };
                self.relative(element, &wanted, nominal)?
            }
        };
        Ok(Some(Modifier::Staterror { name: format!("staterror_{}", self.channel), data }))
    }

    fn shapesys(&mut self, element: &Element, above: Inherited, nominal: &Histogram) -> Result<Modifier, Wrong> {
        element.attributes(&["Name", "InputFile", "HistoPath", "HistoName", "ConstraintType"], &[], self.told);
        let name = self.name(element)?;
        if let Some(kind) = element.attribute("ConstraintType").filter(|kind| !matches!(*kind, "Poisson" | "Pois")) {
            let found = format!("ConstraintType {} of {}", quote(kind), quote(&name));
            element.dropped(found, "Poisson, which every shapesys of pyhf has", self.told);
        }
        let wanted = Wanted {
            file: element.attribute("InputFile").unwrap_or(above.file),
            path: element.attribute("HistoPath").unwrap_or_default(),
            inherited: above.path,
            name: element.needed("HistoName", self.told).ok_or(Wrong)?,
        };
        Ok(Modifier::Shapesys { name, data: self.relative(element, &wanted, nominal)? })
    }

    /// Relative uncertainties of a histogram as absolute ones.
    fn relative(&mut self, element: &Element, wanted: &Wanted, nominal: &Histogram) -> Result<Vec<f64>, Wrong> {
        let own = self.files.histogram(element, wanted, self.told);
        let own = own.filter(|h| fits(element, h, nominal, self.told)).ok_or(Wrong)?;
        Ok(own.contents.iter().zip(&nominal.contents).map(|(e, n)| e * n).collect())
    }
}

/// What is wrong has been told.
struct Wrong;

fn fits(element: &Element, own: &Histogram, nominal: &Histogram, told: &mut Told) -> bool {
    let fits = own.len() == nominal.len();
    if !fits {
        let found = format!("{} of {} bins", quote(&own.name), own.len());
        element.no_histogram(found, format!("{}, as the sample has", nominal.len()), told);
    }
    fits
}

/// `Const`, where it is not empty.
pub(super) fn flag(text: Option<&str>) -> Option<bool> {
    text.filter(|text| !text.is_empty()).map(|text| text == "True")
}
