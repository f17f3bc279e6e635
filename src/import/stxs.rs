//! STXS → SMEFT parametrisations: for every bin linear terms `A_x`, squares `B_x_2` and products `B_x_y`, each once;
//! rates are production × partial width / total width (spec/eft-importers.md, "STXS").

use super::node::Node;
use super::terms::{ONCE, Terms, UNTRUNCATED};
use super::yaml::{self, is_yaml};
use super::{
    Import, ImportOptions, ImportedResponse, Json, ResponseData, check_coefficients, dropped, wilson_coefficient,
};
use crate::document::eft::{
    CoefficientUncertainty, Expansion, Full, MaxNpOrder, Mode, PerBin, PolynomialData, RationalData, RationalFactor,
    Taylor, Truncation, WilsonCoefficient,
};
use crate::finding::{Finding, Findings, Result, quote};
use crate::rule;
use std::collections::{BTreeMap, BTreeSet};

/// The files of a parametrisation, and how its equations are meant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StxsInput {
    /// prod.json: equations of production, by bin.
    pub production: Vec<u8>,
    /// decay.json: equations of partial widths, and of the total width under `tot`.
    pub decay: Option<Vec<u8>>,
    /// The partial width to multiply by.
    pub channel: Option<String>,
    /// pois.yaml, or the same as JSON: `exponent`, `val`, `min`, `max` of each coefficient.
    pub pois: Option<Vec<u8>>,
    /// Each equation ends after its linear terms.
    pub linear_only: bool,
    /// The Taylor series of the product instead of the product: to first order where linear, else to second.
    pub expand_equations: bool,
}

/// The key of the total width.
const TOTAL: &str = "tot";

/// Reads equations of production, which are factors on the yields of their bins; with equations of decay every bin
/// becomes production × partial width / total width.
///
/// # Errors
/// `ImportError` also where a decay is asked for that the file lacks: nothing is set to 1 in silence.
pub fn read(input: StxsInput, options: &ImportOptions) -> Result<Import> {
    let truncation = match input.linear_only {
        true => Truncation::Order(MaxNpOrder { max_np_order: 1 }),
        false => UNTRUNCATED,
    };
    let expansion = match (input.expand_equations, input.linear_only) {
        (false, _) => Expansion::Full(Full::Full),
        (true, true) => Expansion::Taylor(Taylor { taylor: 1 }),
        (true, false) => Expansion::Taylor(Taylor { taylor: 2 }),
    };
    let json = |name: &str, bytes: Vec<u8>| Json::read(name, bytes, &options.limits);
    let mut coefficients = match input.pois {
        Some(bytes) if is_yaml(&bytes) => Some(read_pois(&Node::root(&yaml::tree(bytes, &options.limits)?))?),
        Some(bytes) => {
            let pois = json("pois", bytes)?;
            Some(pois.placed(read_pois(&pois.root()))?)
        }
        None => None,
    };
    let mut warnings = Findings::default();
    let mut reader = Equations { pois: coefficients.as_deref(), found: BTreeSet::new(), warnings: &mut warnings };
    let production = json("production", input.production)?;
    let bins = production.placed(reader.read(&production.root(), None))?;
    let widths = match (input.decay, &input.channel) {
        (Some(bytes), Some(channel)) => {
            let decay = json("decay", bytes)?;
            let keys = [channel.as_str(), TOTAL];
            Some(decay.placed(reader.read(&decay.root(), Some(&keys)))?)
        }
        (None, None) => None,
        (Some(_), None) => return Err(missing("equations of decay, and no decay", "the name of a decay (--decay)")),
        (None, Some(_)) => return Err(missing("a decay, and no equations of decay", "the file of decays")),
    };
    let names = std::mem::take(&mut reader.found);
    let mut import = Import::default();
    check_nuisances(bins.iter().chain(widths.iter().flatten()))?;
    for equation in bins {
        let data = match widths.as_deref() {
            Some([partial, total]) => {
                ResponseData::Rational(product(&[(&equation, 1), (partial, 1), (total, -1)], expansion, truncation)?)
            }
            _ if input.expand_equations => ResponseData::Rational(product(&[(&equation, 1)], expansion, truncation)?),
            _ => ResponseData::Polynomial(equation.polynomial(truncation)?),
        };
        import.responses.push(ImportedResponse::new(equation.key, data));
    }
    import.warnings = warnings;
    if let Some(coefficients) = &mut coefficients {
        options.bounds.overrule(coefficients);
        check_coefficients(coefficients)?;
    }
    import.wilson_coefficients = match coefficients {
        Some(coefficients) => coefficients.into_iter().filter(|c| names.contains(&c.name)).collect(),
        None => options.bounds.coefficients(names)?,
    };
    Ok(import)
}

fn missing(found: &str, expected: &str) -> Findings {
    Finding::new(&rule::IMPORT_MISSING, found, expected).into()
}

/// Coefficients c = poi · 10^(−exponent), with start and bounds in units of c.
fn read_pois(root: &Node) -> Result<Vec<WilsonCoefficient>> {
    let mut coefficients = Vec::new();
    for (name, poi) in root.members()? {
        let exponent = poi.member("exponent")?.number()?;
        let unit = 10f64.powf(-exponent);
        let scaled = |key: &str| Ok::<_, Findings>(unit * poi.member(key)?.number()?);
        let (value, low, high) = (scaled("val")?, scaled("min")?, scaled("max")?);
        coefficients.push(wilson_coefficient(name, [low, high], value));
    }
    if coefficients.is_empty() { Err(root.wrong("at least one coefficient").into()) } else { Ok(coefficients) }
}

/// 1 + Σ A_x x + Σ B_xy x y with the uncertainties of A and B.
#[derive(Clone, Debug)]
struct Equation {
    /// Of the bin or the decay.
    key: String,
    terms: Terms,
    /// With the key of each, such as `u_A_x`.
    uncertainties: BTreeMap<Vec<String>, (String, f64)>,
}

impl Equation {
    fn polynomial(&self, truncation: Truncation) -> Result<PolynomialData> {
        let mut data = self.terms.polynomial(Mode::Relative, true)?;
        data.truncation = truncation;
        data.uncertainties = self.uncertainties();
        Ok(data)
    }

    fn factor(&self, power: i32) -> Result<RationalFactor> {
        self.terms.check_finite()?;
        let (monomials, coefficients) = (self.terms.monomials(), self.terms.coefficients(true));
        Ok(RationalFactor { power, monomials, coefficients, uncertainties: self.uncertainties() })
    }

    /// One nuisance each; those of a decay are the same in all bins.
    fn uncertainties(&self) -> Vec<CoefficientUncertainty> {
        let named = self.uncertainties.iter().map(|(monomial, (key, sigma))| CoefficientUncertainty {
            name: self.nuisance(key),
            monomial: monomial.clone(),
            sigma: PerBin::All(*sigma),
        });
        named.collect()
    }

    fn nuisance(&self, key: &str) -> String {
        format!("{}_{key}", self.key)
    }
}

/// Uncertainties that are not the same have different names.
fn check_nuisances<'e>(equations: impl Iterator<Item = &'e Equation>) -> Result<()> {
    let mut names = BTreeSet::new();
    for equation in equations {
        for (key, _) in equation.uncertainties.values() {
            let name = equation.nuisance(key);
            if names.contains(&name) {
                let found = format!("the name {} of two uncertainties", quote(&name));
                return Err(
                    Finding::new(&rule::IMPORT_FORMAT, found, "other keys of bins, decays or coefficients").into()
                );
            }
            names.insert(name);
        }
    }
    Ok(())
}

fn product(factors: &[(&Equation, i32)], expansion: Expansion, factor_truncation: Truncation) -> Result<RationalData> {
    let factors = factors.iter().map(|(equation, power)| equation.factor(*power)).collect::<Result<Vec<_>>>()?;
    Ok(RationalData { mode: Mode::Relative, factors, expansion, factor_truncation, reference: BTreeMap::new() })
}

/// Reads equations by key, and remembers all coefficients that they name.
struct Equations<'a> {
    /// The declared coefficients: all others are zero.
    pois: Option<&'a [WilsonCoefficient]>,
    found: BTreeSet<String>,
    warnings: &'a mut Findings,
}

impl Equations<'_> {
    /// The equations of these keys, or all of them.
    fn read(&mut self, root: &Node, keys: Option<&[&str]>) -> Result<Vec<Equation>> {
        let members = match keys {
            None => root.members()?,
            Some(keys) => keys.iter().map(|key| Ok((*key, root.member(key)?))).collect::<Result<Vec<_>>>()?,
        };
        if members.is_empty() {
            return Err(root.wrong("at least one bin").into());
        }
        members.into_iter().map(|(key, node)| self.equation(key, &node)).collect()
    }

    fn equation(&mut self, key: &str, node: &Node) -> Result<Equation> {
        let members = node.members()?;
        let known = match self.pois {
            Some(pois) => pois.iter().map(|poi| poi.name.as_str()).collect(),
            None => known_names(&members),
        };
        let mut equation = Equation { key: key.to_owned(), terms: Terms::new(1), uncertainties: BTreeMap::new() };
        equation.terms.add(Vec::new(), [1.0]);
        let mut left_out = Vec::new();
        for (key, value) in &members {
            let (uncertain, term) = key.strip_prefix("u_").map_or((false, *key), |term| (true, term));
            let names = match monomial(term, &known) {
                Ok(names) => names,
                // What is not declared is zero.
                Err(_) if self.pois.is_some() && is_term(term) => {
                    left_out.push(quote(key));
                    continue;
                }
                Err(expected) => return Err(value.error(format!("the key {}", quote(key)), expected).into()),
            };
            let x = value.number()?;
            if !uncertain {
                self.found.extend(names.iter().cloned());
                equation.terms.add_once(names, vec![x]).map_err(|found| value.error(found, ONCE))?;
            } else if x < 0.0 {
                return Err(value.wrong("an uncertainty of at least 0").into());
            } else if x > 0.0 && equation.uncertainties.insert(names, ((*key).to_owned(), x)).is_some() {
                return Err(value.error(format!("the uncertainty {} twice", quote(key)), "each once").into());
            }
        }
        equation.check_uncertainties(node)?;
        if !left_out.is_empty() {
            let what = format!("terms of undeclared coefficients: {}", left_out.join(", "));
            self.warnings.push(dropped(
                node.pointer.clone(),
                what,
                "coefficients that the list of POIs lacks are zero",
            ));
        }
        Ok(equation)
    }
}

impl Equation {
    fn check_uncertainties(&self, node: &Node) -> Result<()> {
        let terms = self.terms.monomials();
        match self.uncertainties.keys().find(|monomial| !terms.contains(monomial)) {
            None => Ok(()),
            Some(monomial) => {
                let found = format!("an uncertainty of {} without its term", quote(&monomial.join(" ")));
                Err(node.error(found, "terms with their uncertainties").into())
            }
        }
    }
}

fn is_term(key: &str) -> bool {
    key.starts_with("A_") || key.starts_with("B_")
}

/// Names that linear terms and squares give away.
fn known_names<'a>(members: &[(&'a str, Node)]) -> BTreeSet<&'a str> {
    let name = |key: &'a str| {
        let key = key.strip_prefix("u_").unwrap_or(key);
        key.strip_prefix("A_").or_else(|| key.strip_prefix("B_")?.strip_suffix("_2"))
    };
    members.iter().filter_map(|(key, _)| name(key)).filter(|name| !name.is_empty()).collect()
}

/// The sorted names of `A_x`, `B_x_2` or `B_x_y`; names may hold underscores, as long as one reading alone is left.
///
/// # Errors
/// What was expected.
fn monomial(key: &str, known: &BTreeSet<&str>) -> std::result::Result<Vec<String>, String> {
    let own = |name: &str| known.contains(name).then(|| name.to_owned());
    let unknown = || "names of declared coefficients".to_owned();
    if let Some(name) = key.strip_prefix("A_") {
        return own(name).map(|name| vec![name]).ok_or_else(unknown);
    }
    let Some(names) = key.strip_prefix("B_") else {
        return Err("A_x, B_x_2, B_x_y, or the same after u_".to_owned());
    };
    if let Some(name) = names.strip_suffix("_2").and_then(own) {
        return Ok(vec![name.clone(), name]);
    }
    let splits = names.match_indices('_').map(|(i, _)| (&names[..i], &names[i + 1..]));
    let readings: Vec<_> = splits.filter_map(|(a, b)| Some((own(a)?, own(b)?))).collect();
    match readings.as_slice() {
        [(a, b)] if a == b => Err("B_x_2 for a square".to_owned()),
        [(a, b)] => {
            let mut names = vec![a.clone(), b.clone()];
            names.sort_unstable();
            Ok(names)
        }
        [] => Err(unknown()),
        _ => Err("names that can be told apart".to_owned()),
    }
}
