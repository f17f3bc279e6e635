//! From the components of a document to nodes: names, parameters, functions.

use super::builder::{Builder, Id};
use super::likelihood::Conventions;
use super::spline::Spline;
use crate::document::hs3::{
    Axis, Data, DataKind, DistributionKind, Formula, Function, FunctionKind, Hs3Document, Slot,
};
use crate::expression::{Binary, Step, Unary};
use crate::finding::{Finding, Findings, Result, quote};
use crate::rule::{self, Rule};
use std::collections::{HashMap, HashSet};

/// Components nested deeper than this are refused.
const MAX_DEPTH: usize = 300;

/// Of one integral: several seconds.
const MOST_OPERATIONS: f64 = 2e9;

/// How often components may be made, over all data: few names can ask for endless work where each is used twice.
const MAX_STEPS: usize = 1_000_000;

/// Makes nodes for one set of data after the other.
pub(super) struct Maker<'d> {
    pub document: &'d Hs3Document,
    pub builder: Builder,
    pub warnings: Findings,
    pub conventions: Conventions,
    /// Variates that stand for a number: where functions are taken at the centre of a bin.
    pub centres: HashMap<String, f64>,
    /// The variates of the present data with their ranges.
    pub ranges: HashMap<String, (f64, f64)>,
    /// Where each integral of the builder is needed first.
    pub integral_places: Vec<String>,
    /// Functions that are made, for the present data.
    functions: HashMap<String, Id>,
    depth: usize,
    steps: usize,
    names: Names<'d>,
}

/// What the document says of parameters and variates by name.
#[derive(Default)]
struct Names<'d> {
    /// Of `default_domain`; else of a parameter point.
    ranges: HashMap<&'d str, (f64, f64)>,
    constants: HashSet<&'d str>,
    /// Of domains of global observables.
    globals: HashSet<&'d str>,
}

pub(super) fn fail<T>(rule: &Rule, pointer: &str, found: impl Into<String>, expected: impl Into<String>) -> Result<T> {
    Err(Finding::new(rule, found, expected).at(pointer).into())
}

/// What this crate does not evaluate, and why.
pub(super) fn unsupported<T>(pointer: &str, found: impl Into<String>, expected: impl Into<String>) -> Result<T> {
    fail(&rule::HS3_UNSUPPORTED, pointer, found, expected)
}

impl<'d> Maker<'d> {
    pub fn new(document: &'d Hs3Document, conventions: Conventions) -> Maker<'d> {
        Maker {
            document,
            builder: Builder::default(),
            warnings: Findings::default(),
            conventions,
            centres: HashMap::new(),
            ranges: HashMap::new(),
            integral_places: Vec::new(),
            functions: HashMap::new(),
            depth: 0,
            steps: 0,
            names: Names::of(document),
        }
    }

    /// Turns to a bin, whose centre the variates stand for.
    pub fn turn_to_bin(&mut self, centres: &[(String, f64)]) {
        self.turn_to(HashMap::new());
        self.centres = centres.iter().cloned().collect();
    }

    /// Turns to data with other variates.
    pub fn turn_to(&mut self, ranges: HashMap<String, (f64, f64)>) {
        self.ranges = ranges;
        self.functions.clear();
    }

    /// Runs a step one level deeper.
    pub fn deeper<T>(&mut self, pointer: &str, step: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_DEPTH || self.steps >= MAX_STEPS {
            let expected = format!("at most {MAX_DEPTH} levels, and {MAX_STEPS} uses in all");
            return fail(&rule::HS3_DEPTH, pointer, "components that use one another beyond the limit", expected);
        }
        self.depth += 1;
        self.steps += 1;
        let result = step(self);
        self.depth -= 1;
        result
    }

    pub fn slot(&mut self, slot: &Slot, pointer: &str) -> Result<Id> {
        match slot {
            Slot::Number(number) => Ok(self.builder.constant(*number)),
            Slot::Name(name) => self.named(name, pointer),
        }
    }

    pub fn slots(&mut self, slots: &[Slot], pointer: &str) -> Result<Vec<Id>> {
        slots.iter().map(|slot| self.slot(slot, pointer)).collect()
    }

    /// A variate of the present data, a function, the density of a distribution, or a parameter.
    pub fn named(&mut self, name: &str, pointer: &str) -> Result<Id> {
        if self.ranges.contains_key(name) {
            return Ok(self.builder.observable(name));
        }
        if let Some(centre) = self.centres.get(name) {
            return Ok(self.builder.constant(*centre));
        }
        if let Some(id) = self.functions.get(name) {
            return Ok(*id);
        }
        if let Some(function) = self.document.function(name) {
            let id = self.deeper(&function.pointer, |maker| maker.function(function))?;
            self.functions.insert(name.to_string(), id);
            return Ok(id);
        }
        if self.document.distribution(name).is_some() {
            return unsupported(pointer, format!("the distribution {} as a value", quote(name)), "a function");
        }
        Ok(self.builder.parameter(name))
    }

    /// A function by name, where nothing else is asked for.
    pub fn function_named(&mut self, name: &str, pointer: &str) -> Result<Id> {
        match self.document.function(name) {
            Some(_) => self.named(name, pointer),
            None => fail(&rule::HS3_UNRESOLVED, pointer, quote(name), "the name of a function of the document"),
        }
    }

    fn function(&mut self, function: &Function) -> Result<Id> {
        let at = function.pointer.as_str();
        match &function.kind {
            FunctionKind::Product { factors } => {
                let factors = self.slots(factors, at)?;
                Ok(self.builder.product(&factors))
            }
            FunctionKind::Sum { summands } => {
                let summands = self.slots(summands, at)?;
                Ok(self.builder.sum(&summands))
            }
            FunctionKind::Polynomial { x, coefficients } => {
                let (x, coefficients) = (self.slot(x, at)?, self.slots(coefficients, at)?);
                Ok(self.builder.polynomial(x, &coefficients))
            }
            FunctionKind::Derivative { function: of, x, order, .. } => self.derivative(of, x, *order, at),
            FunctionKind::Generic(formula) => self.formula(formula, at),
            FunctionKind::Integral { integrand, variables, domain } => {
                self.integral_function(integrand, variables, domain.as_deref(), at)
            }
            FunctionKind::Histogram { axes, contents } => {
                let entries: Vec<Slot> = contents.contents.iter().map(|x| Slot::Number(*x)).collect();
                self.step(axes, &entries, at)
            }
            FunctionKind::Step { parameters, axes, variables } => self.step(&renamed(axes, variables), parameters, at),
            FunctionKind::Interpolation { nominal, variations, positive_definite } => {
                let total = self.interpolation(nominal, variations, false, at)?;
                let zero = self.builder.constant(0.0);
                Ok(if *positive_definite { self.builder.binary(Binary::Max, total, zero) } else { total })
            }
            FunctionKind::Interpolation0d { nominal, variations } => self.interpolation(nominal, variations, true, at),
            FunctionKind::WeightedSum { samples, coefficients } => self.sum_of_products(samples, coefficients, at),
            FunctionKind::Spline { x, x0, y0, interpolation, logx, logy } => {
                let through = match interpolation.as_str() {
                    "poly3" => Spline::new,
                    "poly5" if x0.len() > 2 => super::quintic::quintic,
                    "poly5" => return fail(&rule::HS3_COMPONENT, at, "two knots of degree 5", "at least three"),
                    _ => {
                        let expected = "\"poly3\" or \"poly5\"";
                        return unsupported(at, format!("the interpolation {}", quote(interpolation)), expected);
                    }
                };
                let x = self.slot(x, at)?;
                Ok(self.spline(x, through, (x0, y0), (*logx, *logy)))
            }
            FunctionKind::BinWidth { histogram, divide } => self.bin_width(histogram, *divide, at),
            FunctionKind::AsymmetricPower { low, high, theta } => self.asymmetric_power([low, high, theta], at),
            FunctionKind::ProcessNormalization { nominal, symmetric, asymmetric, factors } => {
                self.process_normalization(nominal, symmetric, asymmetric, factors, at)
            }
            FunctionKind::RecursiveFraction { fractions, recursive } => self.fraction(fractions, *recursive, at),
            FunctionKind::Unknown { kind } => {
                fail(&rule::HS3_UNKNOWN_NEEDED, &format!("{at}/type"), quote(kind), "a known type of function")
            }
        }
    }

    /// `weighted_sum`
    fn sum_of_products(&mut self, samples: &[Slot], coefficients: &[Slot], at: &str) -> Result<Id> {
        let (samples, coefficients) = (self.slots(samples, at)?, self.slots(coefficients, at)?);
        if samples.len() != coefficients.len() {
            let found = format!("{} samples and {} coefficients", samples.len(), coefficients.len());
            return fail(&rule::HS3_COEFFICIENTS, at, found, "one coefficient for each sample");
        }
        let pairs = samples.into_iter().zip(coefficients);
        let terms: Vec<Id> = pairs.map(|(s, k)| self.builder.multiply(k, s)).collect();
        Ok(self.builder.sum(&terms))
    }

    /// The nodes of a generic expression.
    pub fn formula(&mut self, formula: &Formula, at: &str) -> Result<Id> {
        let expression = &formula.expression;
        let mut names = Vec::with_capacity(expression.names.len());
        for name in &expression.names {
            names.push(self.named(name, at)?);
        }
        let mut ids: Vec<Id> = Vec::with_capacity(expression.steps.len());
        for step in &expression.steps {
            let id = match *step {
                Step::Number(number) => self.builder.constant(number),
                Step::Name(name) => names[name],
                Step::Unary(f, a) => self.builder.unary(f, ids[a]),
                Step::Binary(f, a, b) => self.builder.binary(f, ids[a], ids[b]),
                Step::Select(condition, yes, no) => self.builder.select(ids[condition], ids[yes], ids[no]),
            };
            ids.push(id);
        }
        match ids.last() {
            Some(id) => Ok(*id),
            None => fail(&rule::HS3_EXPRESSION, at, "no operation", "an expression"),
        }
    }

    /// The exact derivative (spec/hs3.md, D34), where the variable is a parameter or a variate.
    fn derivative(&mut self, of: &str, x: &str, order: i64, at: &str) -> Result<Id> {
        let mut value = self.function_named(of, at)?;
        let variable = self.named(x, at)?;
        if !(1..=3).contains(&order) {
            return unsupported(at, format!("a derivative of order {order}"), "order 1, 2 or 3");
        }
        for _ in 0..order {
            value = match super::derivative::derivative(&mut self.builder, value, variable) {
                Some(value) => value,
                None => return unsupported(at, "the derivative of this function", "elementary functions"),
            };
        }
        Ok(value)
    }

    /// ∫ f over ranges of variables, which mean inside of it nothing that they mean outside.
    fn integral_function(&mut self, of: &str, variables: &[String], domain: Option<&str>, at: &str) -> Result<Id> {
        let mut over = Vec::with_capacity(variables.len());
        let mut inner = Vec::with_capacity(variables.len());
        for name in variables {
            match self.range_in_domains(name, domain) {
                Some((low, high)) if low.is_finite() && high.is_finite() => {
                    over.push((self.builder.observable_index(name), low, high));
                    inner.push((name.clone(), (low, high)));
                }
                _ => return fail(&rule::HS3_RANGE, at, format!("no range of {}", quote(name)), "a finite range"),
            }
        }
        let integrand = self.with_variates(inner, |maker| maker.function_named(of, at))?;
        self.integrate(integrand, over, at)
    }

    /// Runs a step with further variates; what depends on their names inside does not outside.
    pub fn with_variates<T>(
        &mut self,
        variates: Vec<(String, (f64, f64))>,
        step: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let (outer, functions) = (self.ranges.clone(), std::mem::take(&mut self.functions));
        self.ranges.extend(variates);
        let result = step(self);
        self.functions = functions;
        self.ranges = outer;
        result
    }

    /// An integral over what an integrand depends on of `over`; the other ranges are factors. It may depend on further
    /// variates.
    pub fn integrate(&mut self, integrand: Id, over: Vec<(usize, f64, f64)>, at: &str) -> Result<Id> {
        if let Some((o, ..)) = over.iter().find(|(_, low, high)| !(low.is_finite() && high.is_finite())) {
            let name = self.builder.observables.get(*o).map_or("", String::as_str);
            return fail(&rule::HS3_RANGE, at, format!("no range of {}", quote(name)), "a finite range");
        }
        let inside = over.iter().filter(|(o, ..)| self.builder.depends_on(integrand, &[*o])).count();
        if inside > 3 {
            return unsupported(at, format!("an integral over {inside} variates"), "one over at most three");
        }
        let integral = self.builder.integrate(integrand, &over);
        self.integral_places.resize(self.builder.integrals.len(), at.to_string());
        if self.builder.dearest > MOST_OPERATIONS {
            let found = format!("an integral of some {:.0e} operations", self.builder.dearest);
            return unsupported(
                at,
                found,
                format!("fewer than {MOST_OPERATIONS:.0e}: fewer integrals inside of others"),
            );
        }
        Ok(integral)
    }

    /// The range of a variable: of a domain by name, of `default_domain`, or of a parameter point.
    pub fn range_in_domains(&self, name: &str, domain: Option<&str>) -> Option<(f64, f64)> {
        let named = domain.and_then(|domain| self.document.domain(domain)).and_then(|domain| domain.axis(name));
        named.map(|axis| (axis.min, axis.max)).or_else(|| self.names.ranges.get(name).copied())
    }

    /// A constant parameter, or one of a domain of global observables (D18).
    pub fn is_global(&self, name: &str) -> bool {
        self.names.constants.contains(name) || self.in_global_domain(name)
    }

    pub fn in_global_domain(&self, name: &str) -> bool {
        self.names.globals.contains(name)
    }

    pub fn is_constant(&self, name: &str) -> bool {
        self.names.constants.contains(name)
    }

    /// An entry for each bin.
    fn step(&mut self, axes: &[Axis], entries: &[Slot], at: &str) -> Result<Id> {
        let entries = self.slots(entries, at)?;
        let index = self.bin_index(axes, at)?;
        Ok(self.builder.gather(entries, index))
    }

    /// The volume of the bin of a histogram that holds its variables, or one over it.
    fn bin_width(&mut self, histogram: &str, divide: bool, at: &str) -> Result<Id> {
        let axes = match self.document.function(histogram).map(|function| &function.kind) {
            Some(FunctionKind::Histogram { axes, .. }) => axes.clone(),
            Some(FunctionKind::Step { axes, variables, .. }) => renamed(axes, variables),
            _ => match self.document.distribution(histogram).map(|distribution| &distribution.kind) {
                Some(DistributionKind::Histogram { axes, .. }) => axes.clone(),
                _ => match self.document.data(histogram) {
                    // Axes of other data claim bins that nobody has counted.
                    Some(Data { kind: DataKind::Binned(_), axes, .. }) => axes.clone(),
                    _ => {
                        let at = format!("{at}/histogram");
                        return fail(&rule::HS3_UNRESOLVED, &at, quote(histogram), "the name of a histogram");
                    }
                },
            },
        };
        let volumes = super::closed::volumes(&axes);
        let entries = volumes.into_iter().map(|volume| Slot::Number(if divide { 1.0 / volume } else { volume }));
        self.step(&axes, &entries.collect::<Vec<_>>(), at)
    }

    /// The index of the bin that holds the variables of axes, in C order.
    pub fn bin_index(&mut self, axes: &[Axis], at: &str) -> Result<Id> {
        let mut index = self.builder.constant(0.0);
        for axis in axes {
            let x = self.named(&axis.name, at)?;
            let edges = axis.edges();
            if edges.len() < 2 {
                return fail(&rule::HS3_RANGE, at, format!("no bins of {}", quote(&axis.name)), "nbins or edges");
            }
            let bin = self.builder.bin(&edges, x);
            let before = self.builder.scale(index, (edges.len().saturating_sub(1)) as f64);
            index = self.builder.add(before, bin);
        }
        Ok(index)
    }

    fn spline(
        &mut self,
        x: Id,
        through: fn(&[f64], &[f64]) -> Spline,
        (x0, y0): (&[f64], &[f64]),
        (logx, logy): (bool, bool),
    ) -> Id {
        let ln = |on: bool, numbers: &[f64]| -> Vec<f64> {
            numbers.iter().map(|number| if on { number.ln() } else { *number }).collect()
        };
        let spline = through(&ln(logx, x0), &ln(logy, y0));
        let x = if logx { self.builder.log(x) } else { x };
        let value = self.builder.spline(spline, x);
        if logy { self.builder.exp(value) } else { value }
    }

    /// (a, b): a < b as 0 or 1.
    pub fn less(&mut self, a: Id, b: Id) -> Id {
        self.builder.binary(Binary::Less, a, b)
    }

    pub fn unary(&mut self, f: Unary, a: Id) -> Id {
        self.builder.unary(f, a)
    }
}

/// Axes with the names of the variables in their places.
fn renamed(axes: &[Axis], variables: &[String]) -> Vec<Axis> {
    axes.iter().zip(variables).map(|(axis, name)| Axis { name: name.clone(), ..axis.clone() }).collect()
}

impl<'d> Names<'d> {
    fn of(document: &'d Hs3Document) -> Names<'d> {
        let mut names = Names::default();
        for parameter in document.parameter_points.iter().flat_map(|point| &point.parameters).rev() {
            if let Some(range) = parameter.min.zip(parameter.max) {
                names.ranges.insert(&parameter.name, range);
            }
            if parameter.constant {
                names.constants.insert(&parameter.name);
            }
        }
        for axis in document.domain("default_domain").into_iter().flat_map(|domain| &domain.axes).rev() {
            names.ranges.insert(&axis.name, (axis.min, axis.max));
        }
        for domain in &document.domains {
            let global = domain.name.ends_with("_global_observables");
            names.globals.extend(domain.axes.iter().filter(|_| global).map(|axis| axis.name.as_str()));
            names.constants.extend(domain.axes.iter().filter(|axis| axis.constant).map(|axis| axis.name.as_str()));
        }
        names
    }
}
