//! Parameter values by name: `{name: [values]}` in results, and the same maps read back as input.

use super::number::{Number, numbers};
use super::text;
use crate::model::Model;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

/// Values by parameter name, one a scalar parameter, in the order of the set.
pub type ByName = BTreeMap<String, Vec<Number>>;

/// Fit-order values (n_parameters) as a map by name.
pub fn by_name(model: &Model, values: &[f64]) -> ByName {
    let mut rest = values;
    let mut map = ByName::new();
    for set in &model.parameters {
        let (head, tail) = rest.split_at(set.len().min(rest.len()));
        map.insert(set.name.clone(), numbers(head));
        rest = tail;
    }
    map
}

/// What a map of parameter values set: the indices of scalar parameters, in fit order, with their values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    pub values: Vec<(usize, f64)>,
    /// Scalar names that the map does not mention, in fit order.
    pub missing: Vec<String>,
}

/// Reads `{name: [values]}`, `{name: value}` for a scalar or `name[i]`, or a result of `fit` or `evaluate` that holds
/// such a map.
///
/// # Errors
/// One sentence for each entry that does not fit the model: unknown names, wrong lengths, things that are no number,
/// values given twice.
pub fn read(model: &Model, document: &Value) -> Result<Settings, Vec<String>> {
    let map = ["mle_parameters", "parameters"]
        .iter()
        .find_map(|key| document.get(key).and_then(Value::as_object))
        .or_else(|| document.as_object())
        .ok_or_else(|| vec!["expected an object of parameter values by name".to_owned()])?;
    let places = Places::new(model);
    let mut values: Vec<Option<f64>> = vec![None; model.n_parameters()];
    let mut problems = Vec::new();
    for (name, entry) in map {
        match places.numbers(name, entry) {
            Ok((first, numbers)) => {
                for (slot, number) in values.iter_mut().skip(first).zip(numbers) {
                    if slot.replace(number).is_some() {
                        problems.push(format!("{} sets a value that another entry sets too", text::label(name)));
                    }
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let missing = values.iter().zip(model.parameter_names()).filter(|(v, _)| v.is_none()).map(|(_, n)| n).collect();
    let values = values.into_iter().enumerate().filter_map(|(i, v)| Some((i, v?))).collect();
    Ok(Settings { values, missing })
}

/// Where each name sits in fit order.
struct Places<'m> {
    /// First index, number of values, scalar.
    sets: BTreeMap<&'m str, (usize, usize, bool)>,
    scalars: BTreeMap<String, usize>,
}

impl<'m> Places<'m> {
    fn new(model: &'m Model) -> Self {
        let mut sets = BTreeMap::new();
        let mut first = 0;
        for set in &model.parameters {
            sets.insert(set.name.as_str(), (first, set.len(), set.scalar));
            first += set.len();
        }
        let scalars = model.parameter_names().into_iter().enumerate().map(|(i, name)| (name, i)).collect();
        Places { sets, scalars }
    }

    /// The first index and the values of one entry.
    fn numbers(&self, name: &str, entry: &Value) -> Result<(usize, Vec<f64>), String> {
        let (first, length, scalar) = match (self.sets.get(name), self.scalars.get(name)) {
            (Some(&set), _) => set,
            (None, Some(&index)) => (index, 1, true),
            (None, None) => return Err(self.unknown(name)),
        };
        let numbers: Option<Vec<f64>> = match entry {
            Value::Array(items) => items.iter().map(Value::as_f64).collect(),
            Value::Number(number) if scalar => number.as_f64().map(|n| vec![n]),
            Value::Number(_) => {
                return Err(format!("{} has {length} values: give a list, or name[i]", text::label(name)));
            }
            _ => None,
        };
        let numbers = numbers.ok_or_else(|| format!("{}: expected a list of numbers", text::label(name)))?;
        if numbers.len() != length {
            return Err(format!("{}: found {} values, expected {length}", text::label(name), numbers.len()));
        }
        Ok((first, numbers))
    }

    fn unknown(&self, name: &str) -> String {
        let names = self.sets.keys().copied().chain(self.scalars.keys().map(String::as_str));
        format!("the model has no parameter {}{}", text::label(name), did_you_mean(name, names))
    }
}

/// Names longer than this are not compared: the cost grows with the product of the lengths.
const LONGEST_COMPARED: usize = 256;

/// How many names a hint lists.
const MOST_NAMES: usize = 3;

/// `"; did you mean …?"` with the nearest of `names`; where none is near, some of the names that there are.
pub fn did_you_mean<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> String {
    let mut seen = HashSet::new();
    let names: Vec<&str> = names.filter(|n| seen.insert(*n)).collect();
    let comparable = |n: &str| n.len() <= LONGEST_COMPARED;
    let mut near: Vec<(f64, &str)> = match comparable(name) {
        true => names.iter().filter(|n| comparable(n)).map(|n| (strsim::jaro_winkler(name, n), *n)).collect(),
        false => Vec::new(),
    };
    near.retain(|(similarity, _)| *similarity > 0.8);
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let near: Vec<String> = near.iter().take(MOST_NAMES).map(|(_, n)| text::label(n)).collect();
    match (near.as_slice(), names.as_slice()) {
        ([], []) => String::new(),
        ([], names) => format!("; there are {}", text::list(names, 2 * MOST_NAMES)),
        ([one], _) => format!("; did you mean {one}?"),
        ([rest @ .., last], _) => format!("; did you mean {} or {last}?", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ParameterSet;
    use serde_json::json;

    fn model() -> Model {
        let set = |name: &str, scalar, n| ParameterSet {
            name: name.to_owned(),
            scalar,
            init: vec![1.0; n],
            bounds: vec![(0.0, 10.0); n],
            fixed: vec![false; n],
            constraints: None,
        };
        Model {
            channels: Vec::new(),
            parameters: vec![set("mu", true, 1), set("gamma", false, 2)],
            poi: Some(0),
            clip_sample_data: None,
            clip_bin_data: None,
            template_clip: None,
            penalties: Vec::new(),
            correlations: Vec::new(),
            measurements: Default::default(),
            derived: Vec::new(),
            unbinned: Vec::new(),
            densities: None,
            driven: None,
            pyhf_domain: false,
            warnings: Default::default(),
        }
    }

    #[test]
    fn a_map_is_read_back() {
        let map = by_name(&model(), &[1.5, 2.0, 3.0]);
        let settings = read(&model(), &serde_json::to_value(&map).expect("a map")).expect("fits the model");
        assert_eq!(settings.values, [(0, 1.5), (1, 2.0), (2, 3.0)]);
        let fit = json!({"mle_parameters": map, "twice_nll": 3.0});
        assert_eq!(read(&model(), &fit).expect("a fit result"), settings);
    }

    #[test]
    fn scalars_and_single_elements() {
        let settings = read(&model(), &json!({"mu": 2, "gamma[1]": 0.5})).expect("fits the model");
        assert_eq!(settings.values, [(0, 2.0), (2, 0.5)]);
        assert_eq!(settings.missing, ["gamma[0]"]);
    }

    #[test]
    fn every_problem_is_told() {
        let wrong = json!({"mus": 1.0, "gamma": 1.0, "mu": [1.0, 2.0]});
        let problems = read(&model(), &wrong).expect_err("three problems");
        assert_eq!(problems.len(), 3);
        assert!(problems[0].contains("did you mean mu?"), "{problems:?}");
        assert!(read(&model(), &json!({"gamma": [1, 2], "gamma[0]": 1})).is_err());
        assert!(read(&model(), &json!([1.0])).is_err());
        assert!(read(&model(), &json!({"mu": null})).is_err());
    }
}
