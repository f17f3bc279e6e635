//! Unbinned terms → polynomials of single events (spec/unbinned.md).

use super::response::{solve_morph, truncate};
use super::variables::Variables;
use super::{EftContext, Owner};
use crate::document::eft::{
    Amplitude, Calibration, CentralValue, Encoding, Mode, MorphData, MorphWeights, Ratio, RatioFactor, RatioOf,
    Truncation, UnbinnedComponent, UnbinnedTerm as Document, YieldFactor, Yields,
};
use crate::event_database::Table;
use crate::finding::{Finding, Findings, Result, number, quote};
use crate::model::UnbinnedTerm;
use crate::model::eft::Polynomial;
use crate::model::eft::unbinned::{Component, EventRows, RowFactor, RowSum, Variable};
use crate::rule;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Most numbers of one ratio as a polynomial: rows times monomials.
const MOST_NUMBERS: usize = 1 << 28;

/// One term while it is read: rows of both tables, the observed events first.
struct Reader<'w, 'c> {
    context: &'c EftContext<'w>,
    document: &'w Document,
    pointer: String,
    observed: Table,
    reference: Option<Table>,
    /// Normalised to one.
    reference_weights: Vec<f64>,
    n_rows: usize,
}

impl EftContext<'_> {
    /// # Errors
    /// Everything that is wrong with the tables of the unbinned terms.
    pub fn unbinned_terms(&self) -> Result<Vec<UnbinnedTerm>> {
        let (mut terms, mut findings) = (Vec::new(), Findings::default());
        for (t, document) in self.eft.unbinned_terms.iter().enumerate() {
            let pointer = format!("/eft/unbinned_terms/{t}");
            let placed = |f: Finding| if f.pointer.is_some() { f } else { f.at(pointer.clone()) };
            match Reader::new(self, document, pointer.clone()).and_then(|reader| reader.term()) {
                Ok(term) => terms.push(term),
                Err(found) => findings.0.extend(found.0.into_iter().map(placed)),
            }
        }
        if findings.is_valid() { Ok(terms) } else { Err(findings) }
    }
}

impl<'w, 'c> Reader<'w, 'c> {
    fn new(context: &'c EftContext<'w>, document: &'w Document, pointer: String) -> Result<Reader<'w, 'c>> {
        let folder = context.options.folder.as_deref().unwrap_or(Path::new(""));
        let wanted = |weight: &Option<String>| -> Vec<String> {
            let of_components = document.components.iter().flat_map(UnbinnedComponent::columns);
            let all: BTreeSet<String> = of_components.map(str::to_owned).chain(weight.clone()).collect();
            all.into_iter().collect()
        };
        let read =
            |events, weight, key: &str| Table::read(events, &wanted(weight), folder, &format!("{pointer}/{key}"));
        let observed = read(&document.events, &document.weight, "events");
        let reference = document.reference.as_ref().map(|r| read(&r.events, &r.weight, "reference/events")).transpose();
        let (observed, reference) = match (observed, reference) {
            (Ok(observed), Ok(reference)) => (observed, reference),
            (observed, reference) => {
                let (a, b) = (observed.err().unwrap_or_default(), reference.err().unwrap_or_default());
                return Err(Findings(a.0.into_iter().chain(b.0).collect()));
            }
        };
        let n_rows = observed.n_rows + reference.as_ref().map_or(0, |table| table.n_rows);
        let mut reader =
            Reader { context, document, pointer, observed, reference, reference_weights: Vec::new(), n_rows };
        reader.reference_weights = reader.normalised_weights()?;
        Ok(reader)
    }

    fn term(&self) -> Result<UnbinnedTerm> {
        let owner = self.owner();
        let mut variables = Variables::new(self.context.eft, self.context.ranges);
        let (mut components, mut findings) = (Vec::new(), Findings::default());
        for (k, component) in self.document.components.iter().enumerate() {
            let pointer = format!("{}/components/{k}", self.pointer);
            let placed = |f: Finding| if f.pointer.is_some() { f } else { f.at(pointer.clone()) };
            match self.component(owner, component, &mut variables) {
                Ok(component) => components.push(component),
                Err(found) => findings.0.extend(found.0.into_iter().map(placed)),
            }
        }
        let observed = self.observed_weights();
        let observed = observed.map_err(|found| findings.0.extend(found.0)).unwrap_or_default();
        if !findings.is_valid() {
            return Err(findings);
        }
        let (mut parameters, mut sources) = (Vec::new(), Vec::new());
        let mut coefficients: BTreeSet<usize> = BTreeSet::new();
        for (&number, &order) in variables.parameters.iter().zip(&variables.order) {
            let (source, own) = match self.context.transform.expression(number) {
                None => (Variable::Parameter(number), vec![number]),
                Some(expression) => {
                    let own = expression.variables().into_iter().map(|parameter| parameter as usize);
                    (Variable::Given(expression.clone()), own.collect())
                }
            };
            sources.push(source);
            coefficients.extend(own.iter().copied().filter(|_| order > 0));
            parameters.extend(own);
        }
        let mut seen = BTreeSet::new();
        parameters.retain(|parameter| seen.insert(*parameter));
        Ok(UnbinnedTerm {
            name: self.document.name.clone(),
            coefficients: parameters.iter().copied().filter(|parameter| coefficients.contains(parameter)).collect(),
            parameters,
            variables: sources,
            components,
            observed,
            reference: self.reference_weights.clone(),
        })
    }

    /// Findings of polynomials name the term in the place of a sample.
    fn owner(&self) -> Owner<'w> {
        Owner::UnbinnedTerm(&self.document.name)
    }

    fn observed_weights(&self) -> Result<Vec<f64>> {
        let Some(name) = &self.document.weight else { return Ok(vec![1.0; self.observed.n_rows]) };
        let weights = self.observed.columns.get(name).cloned().unwrap_or_default();
        match weights.iter().position(|s| *s < 0.0) {
            None => Ok(weights),
            Some(row) => {
                let found = format!("{} in column {}, row {row} (from 0)", number(weights[row]), quote(name));
                Err(Finding::new(&rule::UNBINNED_WEIGHT, found, "a weight of at least 0").into())
            }
        }
    }

    fn normalised_weights(&self) -> Result<Vec<f64>> {
        let (Some(table), Some(declared)) = (&self.reference, &self.document.reference) else { return Ok(Vec::new()) };
        let weights = match &declared.weight {
            None => vec![1.0; table.n_rows],
            Some(name) => table.columns.get(name).cloned().unwrap_or_default(),
        };
        let sum: f64 = weights.iter().sum();
        if sum.is_nan() || sum <= 0.0 {
            let found = format!("weights of the reference events with the sum {}", number(sum));
            return Err(Finding::new(&rule::UNBINNED_WEIGHT, found, "a positive sum")
                .at(format!("{}/reference", self.pointer))
                .into());
        }
        Ok(weights.iter().map(|w| w / sum).collect())
    }

    /// A column of all rows.
    fn column(&self, name: &str) -> Vec<f64> {
        let tables = std::iter::once(&self.observed).chain(&self.reference);
        tables.filter_map(|table| table.columns.get(name)).flatten().copied().collect()
    }

    /// A column of which all values fulfil a condition.
    fn checked_column(&self, name: &str, expected: &str, good: impl Fn(f64) -> bool) -> Result<Vec<f64>> {
        let column = self.column(name);
        match column.iter().position(|x| !good(*x)) {
            None => Ok(column),
            Some(row) => {
                let place = match row.checked_sub(self.observed.n_rows) {
                    None => format!("row {row} (from 0) of the observed events"),
                    Some(row) => format!("row {row} (from 0) of the reference events"),
                };
                let found = format!("{} in column {}, {place}", number(column[row]), quote(name));
                Err(Finding::new(&rule::UNBINNED_VALUE, found, expected).into())
            }
        }
    }

    fn component(&self, owner: Owner, component: &UnbinnedComponent, variables: &mut Variables) -> Result<Component> {
        let ratios = self.ratios(owner, component, variables)?;
        let factors = self.factors(owner, component, variables)?;
        let density = match &component.density {
            Some(name) => self.column(name),
            None => vec![1.0; self.n_rows],
        };
        let rows = |polynomial: &Polynomial| {
            let polynomial = polynomial.clone().scaled(&density);
            Arc::new(EventRows { polynomial, factors: factors.clone() })
        };
        // Means over the reference are those of the ratio itself, under the component's own density.
        let mean = |scale: f64| -> Option<RowSum> {
            let first = self.observed.n_rows;
            let places: Vec<usize> = (first..self.n_rows).collect();
            let polynomial = ratios.first()?.clone();
            let own = EventRows { polynomial, factors: factors.clone() }.gather(&places);
            let weighed = self.reference_weights.iter().zip(&density[first..]).map(|(w, g)| w * g);
            let sum: f64 = weighed.clone().sum();
            Some(RowSum { rows: Arc::new(own), weights: weighed.map(|w| scale * w / sum).collect() }.condensed())
        };
        let scales = yield_factors(owner, component, variables)?;
        let single = |polynomial: Polynomial| RowSum::single(EventRows { polynomial, factors: scales.clone() });
        let normfactors = self.normfactors(owner, component, variables)?;
        let (total, at_zero) = match &component.yields {
            Yields::Polynomial { monomials, coefficients, truncation } => {
                let monomials = variables.monomials(owner, monomials)?;
                let terms = monomials.into_iter().zip(coefficients.iter().map(|n| vec![*n]));
                let polynomial = self.truncated(Polynomial::from_terms(1, terms), truncation, variables);
                let at_zero = polynomial.coefficients_of(&[]).map_or(0.0, |n| n[0]);
                (single(polynomial.product(&normfactors)), at_zero)
            }
            Yields::Reference { events } => {
                let mean = mean(*events).ok_or_else(|| no_reference("yields"))?;
                (mean.times(&scales, &normfactors), *events)
            }
        };
        let calibrated = component.calibration == Calibration::Reference;
        let divisor = if calibrated { Some(mean(1.0).ok_or_else(|| no_reference("a calibration"))?) } else { None };
        let multiplier =
            (component.ratio_of == RatioOf::Yields && !calibrated).then(|| single(normfactors.scaled(&[at_zero])));
        let densities = ratios.iter().map(rows).collect();
        Ok(Component {
            name: component.name.clone(),
            follows_yields: component.ratio_of == RatioOf::Yields,
            total,
            multiplier,
            divisor,
            densities,
            base: density,
        })
    }

    fn truncated(&self, polynomial: Polynomial, truncation: &Truncation, variables: &Variables) -> Polynomial {
        let polynomial = truncate(polynomial, truncation, variables);
        match self.context.options.max_np_order {
            Some(most) => polynomial.truncated(most, &variables.order),
            None => polynomial,
        }
    }

    /// The product of the parameters that multiply the yields, as a polynomial of one bin.
    fn normfactors(
        &self,
        owner: Owner,
        component: &UnbinnedComponent,
        variables: &mut Variables,
    ) -> Result<Polynomial> {
        let monomial = variables.monomial(owner, &component.normfactors)?;
        Ok(Polynomial::from_terms(1, [(monomial, vec![1.0])]))
    }

    /// The central ratio of all rows; one a replica for the mean of logarithms.
    fn ratios(
        &self,
        owner: Owner,
        component: &UnbinnedComponent,
        variables: &mut Variables,
    ) -> Result<Vec<Polynomial>> {
        let own: Vec<&str> = component.ratio.columns();
        let Some(replicas) = &component.replicas else {
            return Ok(vec![self.ratio(owner, &component.ratio, &own, variables)?]);
        };
        let mut all = vec![self.ratio(owner, &component.ratio, &own, variables)?];
        for columns in &replicas.columns {
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            all.push(self.ratio(owner, &component.ratio, &columns, variables)?);
        }
        if let Some(replica) = self.context.options.replica {
            return Ok(vec![all.swap_remove(replica.min(all.len() - 1))]);
        }
        if replicas.central == CentralValue::MeanLogRatio {
            return Ok(all);
        }
        let n = all.len() as f64;
        let zero = Polynomial::from_terms(self.n_rows, []);
        let sum = all.iter().fold(zero, |sum, ratio| sum.sum(ratio));
        let mean = sum.scaled(&vec![1.0 / n; self.n_rows]);
        // Σ_j ν_j (r_j − r̄)/√(R − 1): spec/unbinned.md, eq. 6.
        let mut moved = mean.clone();
        for (ratio, name) in all.iter().zip(&replicas.nuisances) {
            let nuisance = variables.variable(owner, name)?;
            let by =
                Polynomial::from_terms(self.n_rows, [(vec![nuisance], vec![(n - 1.0).sqrt().recip(); self.n_rows])]);
            let difference = ratio.sum(&mean.clone().scaled(&vec![-1.0; self.n_rows]));
            moved = moved.sum(&difference.product(&by));
        }
        Ok(vec![moved])
    }

    /// r of all rows as a polynomial, from some columns in the place of the ratio's own.
    fn ratio(&self, owner: Owner, ratio: &Ratio, columns: &[&str], variables: &mut Variables) -> Result<Polynomial> {
        let n = self.n_rows;
        let amplitude = |constant: f64, monomials: &[Vec<String>], columns: &[&str], variables: &mut Variables| {
            self.check_size(monomials.len())?;
            let monomials = variables.monomials(owner, monomials)?;
            let terms = monomials.into_iter().zip(columns.iter().map(|name| self.column(name)));
            let polynomial = Polynomial::from_terms(n, terms);
            Ok::<_, Findings>(if constant == 0.0 {
                polynomial
            } else {
                polynomial.sum(&Polynomial::constant(n, constant))
            })
        };
        let (polynomial, truncation) = match ratio {
            Ratio::Polynomial { constant, monomials, truncation, .. } => {
                (amplitude(*constant, monomials, columns, variables)?, truncation)
            }
            Ratio::SumOfSquares { amplitudes, truncation } => {
                let (mut sum, mut rest) = (Polynomial::from_terms(n, []), columns);
                for Amplitude { constant, monomials, columns } in amplitudes {
                    let (own, others) = rest.split_at(columns.len().min(rest.len()));
                    rest = others;
                    let root = amplitude(*constant, monomials, own, variables)?;
                    self.check_size(root.monomials.len() * (root.monomials.len() + 1) / 2)?;
                    sum = sum.sum(&root.product(&root));
                }
                (sum, truncation)
            }
            Ratio::BasisPoints { parameters, basis_points, encoding, components, truncation, .. } => {
                let templates = columns.iter().map(|name| self.decoded(name, *encoding)).collect::<Result<Vec<_>>>()?;
                let morph = MorphData {
                    mode: Mode::Relative,
                    parameters: parameters.clone(),
                    basis_points: basis_points.clone(),
                    templates,
                    variances: None,
                    weights: MorphWeights::Equal,
                    components: components.clone(),
                    truncation: *truncation,
                    reference: Default::default(),
                };
                let mut own = Vec::with_capacity(parameters.len());
                for name in parameters {
                    own.push(variables.variable(owner, name)?);
                }
                let solved = solve_morph(&morph).map_err(|error| {
                    Finding::new(&rule::UNBINNED_BASIS, error.to_string(), "a basis that determines its monomials")
                })?;
                (solved.polynomial.renamed(&own), truncation)
            }
        };
        Ok(self.truncated(polynomial, truncation, variables))
    }

    fn check_size(&self, monomials: usize) -> Result<()> {
        if monomials.saturating_mul(self.n_rows) <= MOST_NUMBERS {
            return Ok(());
        }
        let found = format!("{} events with ratios of {monomials} monomials", self.n_rows);
        Err(Finding::new(&rule::UNBINNED_SIZE, found, format!("at most {MOST_NUMBERS} numbers")).into())
    }

    /// Ratios at one basis point (spec/unbinned.md, eq. 5).
    fn decoded(&self, name: &str, encoding: Encoding) -> Result<Vec<f64>> {
        let probability = |x: f64| x > 0.0 && x < 1.0;
        let column = match encoding {
            Encoding::Ratio => self.checked_column(name, "a ratio of at least 0", |x| x >= 0.0)?,
            Encoding::LogRatio => self.checked_column(name, "a logarithm below 700", |x| x.abs() < 700.0)?,
            _ => self.checked_column(name, "a probability between 0 and 1", probability)?,
        };
        let decode = |x: f64| match encoding {
            Encoding::Ratio => x,
            Encoding::LogRatio => x.exp(),
            Encoding::ProbabilityOfReference => (1.0 - x) / x,
            Encoding::ProbabilityOfPoint => x / (1.0 - x),
        };
        Ok(column.into_iter().map(decode).collect())
    }

    /// The factors of all rows (spec/unbinned.md, eq. 4).
    fn factors(
        &self,
        owner: Owner,
        component: &UnbinnedComponent,
        variables: &mut Variables,
    ) -> Result<Vec<RowFactor>> {
        let mut factors = Vec::new();
        for (name, factor) in &component.systematics {
            let variable = variables.variable(owner, name)?;
            match factor {
                RatioFactor::Linear { column } => {
                    factors.push(RowFactor::Linear { variable, column: self.column(column) });
                }
                RatioFactor::Power { column } => {
                    let base = self.checked_column(column, "a positive base", |a| a > f64::MIN_POSITIVE)?;
                    let column = base.into_iter().map(f64::ln).collect();
                    factors.push(RowFactor::Exponential { monomial: vec![variable], column });
                }
                RatioFactor::LogQuadratic { linear, quadratic } => {
                    let (linear, quadratic) = (self.column(linear), self.column(quadratic));
                    factors.push(RowFactor::Exponential { monomial: vec![variable], column: linear });
                    factors.push(RowFactor::Exponential { monomial: vec![variable; 2], column: quadratic });
                }
            }
        }
        for correlated in &component.correlated {
            let monomial = variables.monomial(owner, &correlated.systematics)?;
            factors.push(RowFactor::Exponential { monomial, column: self.column(&correlated.column) });
        }
        Ok(factors)
    }
}

fn no_reference(what: &str) -> Findings {
    Finding::new(&rule::UNBINNED_REFERENCE, format!("{what} from the reference without one"), "reference events").into()
}

/// The factors of the yields, of one row.
fn yield_factors(owner: Owner, component: &UnbinnedComponent, variables: &mut Variables) -> Result<Vec<RowFactor>> {
    let mut factors = Vec::new();
    for (name, factor) in &component.yield_systematics {
        let variable = variables.variable(owner, name)?;
        match factor {
            YieldFactor::Linear { value } => factors.push(RowFactor::Linear { variable, column: vec![*value] }),
            YieldFactor::Power { value } => {
                if *value <= f64::MIN_POSITIVE {
                    let found = format!("the base {} of {}", number(*value), quote(name));
                    return Err(Finding::new(&rule::UNBINNED_VALUE, found, "a positive base").into());
                }
                factors.push(RowFactor::Exponential { monomial: vec![variable], column: vec![value.ln()] });
            }
            YieldFactor::LogQuadratic { linear, quadratic } => {
                factors.push(RowFactor::Exponential { monomial: vec![variable], column: vec![*linear] });
                factors.push(RowFactor::Exponential { monomial: vec![variable; 2], column: vec![*quadratic] });
            }
        }
    }
    Ok(factors)
}
