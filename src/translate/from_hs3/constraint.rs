//! Constraints: four generations of keys, and distributions that constrain a parameter by name (A3, A18, A19).

use super::choice::unsupported;
use super::convention::Conventions;
use super::values::Values;
use crate::document::hs3::{
    Dialect, Distribution, DistributionKind, FunctionKind, Hs3Document, Modifier, ModifierKind, Slot,
};
use crate::finding::{Finding, Findings, Result, Severity, quote};
use crate::model::{Constraint, PenaltyKind};
use crate::rule;

/// Where the constraint of one parameter of a modifier is described.
pub(super) enum Source<'d> {
    Named(&'d Distribution),
    Type(Type),
    /// `null`: none.
    Free,
    Unsaid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Gauss,
    Poisson,
    LogNormal,
    /// The parameter does not move.
    Const,
}

/// What a constraint says of its parameter.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tie {
    /// The name of the distribution, or what stands for it.
    pub source: String,
    pub constraint: Option<Constraint>,
    pub penalties: Vec<PenaltyKind>,
    /// Outside of these the density is zero.
    pub bounds: Option<(f64, f64)>,
    pub fixed: bool,
}

impl Tie {
    pub fn new(source: &str, constraint: Option<Constraint>) -> Tie {
        Tie { source: source.to_string(), constraint, penalties: Vec::new(), bounds: None, fixed: false }
    }
}

impl Type {
    /// Legacy names of types, in any case of letters.
    pub fn named(name: &str) -> Option<Type> {
        Some(match name.to_ascii_lowercase().as_str() {
            "gauss" | "gaussian" => Type::Gauss,
            "poisson" => Type::Poisson,
            "lognormal" => Type::LogNormal,
            "const" | "constant" => Type::Const,
            _ => return None,
        })
    }
}

/// By the precedence of A3: `constraints`, `constraint` as the name of a distribution, `constraint_name`,
/// `constraint_type`, `constraint` as a type.
pub(super) fn source<'d>(document: &'d Hs3Document, modifier: &Modifier, index: usize) -> Result<Source<'d>> {
    let keys = &modifier.constraint;
    let unresolved = |name: &str| {
        let mut finding =
            Finding::new(&rule::HS3_UNRESOLVED, quote(name), "the name of a distribution of the document");
        finding.severity = Severity::Error;
        Findings::from(finding.at(modifier.pointer.clone()))
    };
    let by_name = |name: &str| document.distribution(name).map(Source::Named).ok_or_else(|| unresolved(name));
    let by_type = |name: &str| {
        let expected = "Gauss, Poisson, LogNormal, Const, or the name of a distribution of the document";
        let finding = || Finding::new(&rule::HS3_CONSTRAINT, quote(name), expected).at(modifier.pointer.clone());
        let unknown = || Findings::from(finding());
        Type::named(name).map(Source::Type).ok_or_else(unknown)
    };
    if !keys.constraints.is_empty() {
        return match keys.constraints.get(index) {
            Some(Some(name)) => by_name(name),
            Some(None) => Ok(Source::Free),
            None => {
                let found = format!("{} constraints", keys.constraints.len());
                Err(Finding::new(&rule::HS3_CONSTRAINT, found, "one for each parameter")
                    .at(modifier.pointer.clone())
                    .into())
            }
        };
    }
    if let Some(distribution) = keys.constraint.as_deref().and_then(|name| document.distribution(name)) {
        return Ok(Source::Named(distribution));
    }
    match (&keys.constraint_name, &keys.constraint_type, &keys.constraint) {
        (Some(name), _, _) => by_name(name),
        (None, Some(name), _) | (None, None, Some(name)) => by_type(name),
        (None, None, None) => Ok(Source::Unsaid),
    }
}

/// What turns descriptions into ties.
pub(super) struct Ties<'c, 'd> {
    pub document: &'d Hs3Document,
    pub values: &'c Values<'d>,
    pub conventions: &'c Conventions,
}

impl Ties<'_, '_> {
    /// What a constraint by type observes: `nom_<parameter>`. In pyhs3 it observes a number and no name; elsewhere a name
    /// that some modifier takes for a parameter is one of its own. ROOT has one variable of each name.
    fn observable(&self, name: &str, is_parameter: &dyn Fn(&str) -> bool) -> Option<String> {
        let observable = format!("nom_{name}");
        match self.conventions.dialect {
            Dialect::Pyhs3 => None,
            Dialect::Root(_) => Some(observable),
            _ => Some(observable).filter(|name| !is_parameter(name)),
        }
    }

    /// The constraint of a parameter of normsys or histosys by its type; `None` for the default, Gauss.
    pub fn of_alpha(
        &self,
        name: &str,
        kind: Option<Type>,
        is_parameter: &dyn Fn(&str) -> bool,
        modifier: &Modifier,
    ) -> Result<Tie> {
        let observable = self.observable(name, is_parameter);
        let auxdata = observable.as_deref().and_then(|name| self.values.value(name)).unwrap_or(0.0);
        let source = format!("{:?} of {name}", kind.unwrap_or(Type::Gauss));
        match kind.unwrap_or(Type::Gauss) {
            Type::Const => Ok(Tie { fixed: true, ..Tie::new(&source, None) }),
            Type::Gauss => {
                let mut tie = Tie::new(&source, Some(Constraint::Gaussian { auxdata, sigma: 1.0 }));
                self.truncate(&mut tie, observable.as_deref(), 1.0, (-10.0, 10.0));
                Ok(tie)
            }
            // pyhs3 alone says what these mean: Pois(1 | α), and LN(1; α, 1), which is N(0 | α, 1).
            Type::Poisson if self.conventions.dialect == Dialect::Pyhs3 => {
                Ok(Tie::new(&source, Some(Constraint::Poisson { auxdata: 1.0, factor: 1.0 })))
            }
            Type::LogNormal if self.conventions.dialect == Dialect::Pyhs3 => {
                Ok(Tie::new(&source, Some(Constraint::Gaussian { auxdata: 0.0, sigma: 1.0 })))
            }
            other => {
                let found = format!("the constraint {other:?} on {}", quote(name));
                Err(Finding::new(
                    &rule::HS3_CONSTRAINT,
                    found,
                    "Gauss, or the name of a distribution that says what is meant",
                )
                .at(modifier.pointer.clone())
                .into())
            }
        }
    }

    /// The constraint of the factor of one bin with relative uncertainty σ. Without one there is no term (ROOT's way;
    /// pyhf keeps a constant), and the parameter is fixed unless the points say otherwise.
    pub fn of_gamma(
        &self,
        name: &str,
        (kind, sigma): (Type, f64),
        is_parameter: &dyn Fn(&str) -> bool,
        modifier: &Modifier,
    ) -> Result<Tie> {
        let source = format!("{kind:?} of {name}");
        let observable = self.observable(name, is_parameter);
        let observed = observable.as_deref().and_then(|name| self.values.value(name));
        if kind == Type::Const {
            return Ok(Tie { fixed: true, ..Tie::new(&source, None) });
        }
        if sigma <= 0.0 {
            return Ok(Tie::new(&source, None));
        }
        match kind {
            Type::Gauss => {
                let auxdata = observed.unwrap_or(1.0);
                let mut tie = Tie::new(&source, Some(Constraint::Gaussian { auxdata, sigma }));
                self.truncate(&mut tie, observable.as_deref(), sigma, (0.0, 10.0));
                Ok(tie)
            }
            Type::Poisson => {
                let factor = 1.0 / (sigma * sigma);
                let auxdata = observed.unwrap_or(factor);
                Ok(Tie::new(&source, Some(Constraint::Poisson { auxdata, factor })))
            }
            _ => {
                let found = format!("the constraint {kind:?} on {}", quote(name));
                Err(Finding::new(&rule::HS3_CONSTRAINT, found, "Gauss, Poisson or the name of a distribution")
                    .at(modifier.pointer.clone())
                    .into())
            }
        }
    }

    /// Adds the normalisation over the range of the observable, where the conventions ask for it (A8).
    fn truncate(&self, tie: &mut Tie, observable: Option<&str>, sigma: f64, default: (f64, f64)) {
        let (low, high) = observable.and_then(|name| self.values.range(name)).unwrap_or(default);
        if self.conventions.truncate_constraints && (low.is_finite() || high.is_finite()) {
            tie.penalties.push(PenaltyKind::Truncation { sigma, low, high });
        }
    }

    /// A distribution with one parameter of the model; everything else in it is a number or has a fixed value. Returns
    /// the name of the parameter, too.
    pub fn named(&self, distribution: &Distribution, is_parameter: &dyn Fn(&str) -> bool) -> Result<(String, Tie)> {
        let one = |name: &str, slots: &[&Slot]| -> Result<String> {
            let mut names: Vec<&str> = slots.iter().filter_map(|slot| named_slot(slot)).collect();
            let of_model: Vec<&str> = names.iter().copied().filter(|name| is_parameter(name)).collect();
            // A parameter on which nothing else depends is what is not constant.
            names.retain(|name| self.values.is_constant(name) != Some(true));
            match (of_model.as_slice(), names.as_slice()) {
                ([only], _) | ([], [only]) => Ok((*only).to_string()),
                (found, _) => {
                    Err(self.beyond(distribution, format!("{} with {} parameters", quote(name), found.len())).into())
                }
            }
        };
        match &distribution.kind {
            DistributionKind::Gaussian { x, mean, sigma } => {
                let parameter = one(&distribution.name, &[x, mean])?;
                let observable = if named_slot(x) == Some(parameter.as_str()) { mean } else { x };
                let (auxdata, sigma) = (self.number(distribution, observable)?, self.positive(distribution, sigma)?);
                let mut tie = Tie::new(&distribution.name, Some(Constraint::Gaussian { auxdata, sigma }));
                if let Some(name) = named_slot(observable) {
                    self.truncate(&mut tie, Some(name), sigma, (f64::NEG_INFINITY, f64::INFINITY));
                }
                Ok((parameter, tie))
            }
            DistributionKind::Poisson { x, mean, integer } => {
                let observed = self.number(distribution, x)?;
                let (parameter, factor) = self.scaled(distribution, mean, is_parameter)?;
                let auxdata = if *integer { observed.floor() } else { observed };
                Ok((parameter, Tie::new(&distribution.name, Some(Constraint::Poisson { auxdata, factor }))))
            }
            DistributionKind::LogNormal { x, mu, sigma } => self.log_normal(distribution, x, mu, sigma, is_parameter),
            DistributionKind::Gamma { x, gamma, beta, mu } => {
                let parameter = one(&distribution.name, &[x])?;
                let (gamma, beta) = (self.positive(distribution, gamma)?, self.positive(distribution, beta)?);
                let shift = self.number(distribution, mu)?;
                let (linear, logarithm) = (1.0 / beta, 1.0 - gamma);
                let density = PenaltyKind::Logarithmic { shift, linear, logarithm, square: 0.0, centre: 0.0 };
                let constant = PenaltyKind::Constant(libm::lgamma(gamma) + gamma * beta.ln());
                Ok((parameter, Tie { penalties: vec![density, constant], ..Tie::new(&distribution.name, None) }))
            }
            DistributionKind::Uniform { x, min, max } => {
                let parameter = one(&distribution.name, &[x])?;
                let end = |slot: &Option<Slot>| slot.as_ref().map(|slot| self.number(distribution, slot)).transpose();
                let (low, high) = self.values.range(&parameter).unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
                let (low, high) = (end(min)?.unwrap_or(low), end(max)?.unwrap_or(high));
                let width = high - low;
                let penalties = if width.is_finite() { vec![PenaltyKind::Constant(width.ln())] } else { Vec::new() };
                Ok((parameter, Tie { penalties, bounds: Some((low, high)), ..Tie::new(&distribution.name, None) }))
            }
            _ => Err(self.beyond(distribution, quote(&distribution.name)).into()),
        }
    }

    /// An observed x with mean ln x at the parameter or at its logarithm; or a density of the parameter.
    fn log_normal(
        &self,
        distribution: &Distribution,
        x: &Slot,
        mu: &Slot,
        sigma: &Slot,
        is_parameter: &dyn Fn(&str) -> bool,
    ) -> Result<(String, Tie)> {
        let sigma = self.positive(distribution, sigma)?;
        let square = 1.0 / (sigma * sigma);
        let norm = sigma.ln() + 0.5 * (2.0 * std::f64::consts::PI).ln();
        let of_model = |slot: &Slot| named_slot(slot).filter(|name| is_parameter(name)).map(str::to_string);
        if let Some(parameter) = of_model(x) {
            let centre = self.number(distribution, mu)?;
            let density = PenaltyKind::Logarithmic { shift: 0.0, linear: 0.0, logarithm: 1.0, square, centre };
            let penalties = vec![density, PenaltyKind::Constant(norm)];
            return Ok((parameter, Tie { penalties, ..Tie::new(&distribution.name, None) }));
        }
        let observed = self.positive(distribution, x)?.ln();
        if let Some(parameter) = of_model(mu) {
            let constraint = Some(Constraint::Gaussian { auxdata: observed, sigma });
            let penalties = vec![PenaltyKind::Constant(observed)];
            return Ok((parameter, Tie { penalties, ..Tie::new(&distribution.name, constraint) }));
        }
        // ROOT writes the median m0 through a function of its own: log(m0).
        let argument = named_slot(mu).and_then(|name| self.document.function(name)).and_then(|f| match &f.kind {
            FunctionKind::Generic(formula) => formula.text.trim().strip_prefix("log(")?.strip_suffix(')'),
            _ => None,
        });
        match argument.map(str::trim).filter(|name| is_parameter(name)) {
            Some(parameter) => {
                let (linear, logarithm, centre) = (0.0, 0.0, observed);
                let density = PenaltyKind::Logarithmic { shift: 0.0, linear, logarithm, square, centre };
                let penalties = vec![density, PenaltyKind::Constant(norm + observed)];
                Ok((parameter.to_string(), Tie { penalties, ..Tie::new(&distribution.name, None) }))
            }
            None => Err(self.beyond(distribution, quote(&distribution.name)).into()),
        }
    }

    /// A parameter, or a product of one with numbers: (parameter, factor).
    fn scaled(
        &self,
        distribution: &Distribution,
        mean: &Slot,
        is_parameter: &dyn Fn(&str) -> bool,
    ) -> Result<(String, f64)> {
        let other = || self.beyond(distribution, quote(&distribution.name));
        let name = named_slot(mean).ok_or_else(other)?;
        if is_parameter(name) {
            return Ok((name.to_string(), 1.0));
        }
        let Some(FunctionKind::Product { factors }) = self.document.function(name).map(|f| &f.kind) else {
            return Err(other().into());
        };
        let (own, rest): (Vec<&Slot>, Vec<&Slot>) =
            factors.iter().partition(|slot| named_slot(slot).is_some_and(is_parameter));
        let [parameter] = own.as_slice() else { return Err(other().into()) };
        let mut factor = 1.0;
        for slot in rest {
            factor *= self.positive(distribution, slot)?;
        }
        Ok((named_slot(parameter).unwrap_or_default().to_string(), factor))
    }

    /// The value of an expression that depends on nothing: how numbers are written that ROOT would read to six digits.
    fn constant_function(&self, name: &str) -> Option<f64> {
        match self.document.function(name).map(|function| &function.kind)? {
            FunctionKind::Generic(formula) if formula.expression.names.is_empty() => {
                Some(formula.expression.value(&[]))
            }
            _ => None,
        }
    }

    /// A number, or the value of a constant or a global observable.
    fn number(&self, distribution: &Distribution, slot: &Slot) -> Result<f64> {
        if let Some(number) = named_slot(slot).and_then(|name| self.constant_function(name)) {
            return Ok(number);
        }
        match slot {
            Slot::Number(number) => Ok(*number),
            Slot::Name(name) if self.document.function(name).is_some() => Err(self
                .beyond(distribution, format!("the function {} in {}", quote(name), quote(&distribution.name)))
                .into()),
            Slot::Name(name) => self.values.value_anywhere(name).ok_or_else(|| {
                let mut finding = Finding::new(
                    &rule::HS3_NO_VALUE,
                    format!("no value of {}", quote(name)),
                    "a value in the parameter points",
                );
                finding.severity = Severity::Error;
                finding.at(distribution.pointer.clone()).into()
            }),
        }
    }

    fn positive(&self, distribution: &Distribution, slot: &Slot) -> Result<f64> {
        let number = self.number(distribution, slot)?;
        if number > 0.0 && number.is_finite() {
            return Ok(number);
        }
        let found = format!("{number} in {}", quote(&distribution.name));
        Err(Finding::new(&rule::HS3_CONSTRAINT, found, "a number above zero").at(distribution.pointer.clone()).into())
    }

    /// Whether all names beside a parameter have values that nothing moves.
    pub fn is_settled(&self, distribution: &Distribution, parameter: &str) -> bool {
        let fixed = |slot: &Slot| match named_slot(slot) {
            None => true,
            Some(name) if name == parameter || self.constant_function(name).is_some() => true,
            Some(name) => self.values.is_constant(name) == Some(true) || self.values.is_global(name),
        };
        let factors =
            |slot: &Slot| match named_slot(slot).and_then(|name| self.document.function(name)).map(|f| &f.kind) {
                Some(FunctionKind::Product { factors }) => factors.iter().all(fixed),
                Some(FunctionKind::Generic(formula)) => formula.expression.names.iter().all(|name| name == parameter),
                _ => fixed(slot),
            };
        match &distribution.kind {
            DistributionKind::Gaussian { x, mean, sigma } => [x, mean, sigma].into_iter().all(fixed),
            DistributionKind::Poisson { x, mean, .. } => fixed(x) && factors(mean),
            DistributionKind::LogNormal { x, mu, sigma } => fixed(x) && factors(mu) && fixed(sigma),
            DistributionKind::Gamma { x, gamma, beta, mu } => [x, gamma, beta, mu].into_iter().all(fixed),
            DistributionKind::Uniform { x, min, max } => {
                [Some(x), min.as_ref(), max.as_ref()].into_iter().flatten().all(fixed)
            }
            _ => false,
        }
    }

    fn beyond(&self, distribution: &Distribution, found: impl Into<String>) -> Finding {
        let expected = "a Gaussian, Poisson, log-normal, gamma or uniform constraint of one parameter of the channels";
        unsupported(found, expected).at(distribution.pointer.clone())
    }
}

fn named_slot(slot: &Slot) -> Option<&str> {
    match slot {
        Slot::Name(name) => Some(name),
        Slot::Number(_) => None,
    }
}

/// Constraints that are not distributions of their own act on these alone.
pub(super) fn takes_types(kind: &ModifierKind) -> bool {
    !matches!(kind, ModifierKind::Normfactor | ModifierKind::Shapefactor | ModifierKind::Custom)
}
