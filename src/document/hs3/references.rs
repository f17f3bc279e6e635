//! Names: each once, each that is used there, and none that depends on itself.

use super::fields::{Reader, Reference, ReferenceKind};
use super::{Hs3Document, Index};
use crate::finding::quote;
use crate::rule;
use std::collections::HashMap;

/// Maps names to components. Distributions, functions, parameters and variates share their names; data, likelihoods,
/// domains, points and analyses have names of their own kind.
pub(super) fn index(document: &Hs3Document, reader: &mut Reader) -> Index {
    let mut index = Index::default();
    let mut values: HashMap<&str, &str> = HashMap::new();
    let distributions = document.distributions.iter().map(|d| (&d.name, &d.pointer));
    let functions = document.functions.iter().map(|f| (&f.name, &f.pointer));
    for (name, pointer) in distributions.chain(functions) {
        unique(&mut values, name, pointer, reader);
        check_identifier(name, pointer, reader);
    }
    let groups: [Vec<(&String, &String)>; 5] = [
        document.data.iter().map(|x| (&x.name, &x.pointer)).collect(),
        document.likelihoods.iter().map(|x| (&x.name, &x.pointer)).collect(),
        document.domains.iter().map(|x| (&x.name, &x.pointer)).collect(),
        document.parameter_points.iter().map(|x| (&x.name, &x.pointer)).collect(),
        document.analyses.iter().map(|x| (&x.name, &x.pointer)).collect(),
    ];
    for group in groups {
        let mut names = HashMap::new();
        group.into_iter().for_each(|(name, pointer)| unique(&mut names, name, pointer, reader));
    }
    for point in &document.parameter_points {
        for (i, parameter) in point.parameters.iter().enumerate() {
            let at = format!("{}/parameters/{i}", point.pointer);
            if let Some(other) = values.get(parameter.name.as_str()) {
                let expected = format!("a name of its own: {other} has it");
                reader.add(&rule::HS3_DUPLICATE_NAME, &at, quote(&parameter.name), expected);
            }
        }
    }
    index.distributions = document.distributions.iter().enumerate().map(|(i, d)| (d.name.clone(), i)).collect();
    index.functions = document.functions.iter().enumerate().map(|(i, f)| (f.name.clone(), i)).collect();
    index.data = document.data.iter().enumerate().map(|(i, d)| (d.name.clone(), i)).collect();
    index
}

fn unique<'d>(names: &mut HashMap<&'d str, &'d str>, name: &'d str, pointer: &'d str, reader: &mut Reader) {
    if let Some(first) = names.insert(name, pointer) {
        reader.add(&rule::HS3_DUPLICATE_NAME, pointer, quote(name), format!("a name of its own: {first} has it"));
    }
}

fn check_identifier(name: &str, pointer: &str, reader: &mut Reader) {
    let mut characters = name.chars();
    let first = characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !(first && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')) {
        let expected = "letters, digits and underscores, which every program reads";
        reader.add(&rule::HS3_NAME, pointer, quote(name), expected);
    }
}

/// Every distribution, function and set of data that something names is there, and no component needs itself.
pub(super) fn check(document: &Hs3Document, reader: &mut Reader) {
    let lists = document.distributions.iter().map(|d| &d.references);
    let lists = lists.chain(document.functions.iter().map(|f| &f.references));
    for references in lists {
        check_references(document, references, reader);
    }
    check_likelihoods(document, reader);
    check_cycles(document, reader);
}

/// All is there.
fn check_references(document: &Hs3Document, references: &[Reference], reader: &mut Reader) -> bool {
    let mut complete = true;
    for reference in references {
        let (found, kind) = match reference.kind {
            // Parameters need no declaration here: what has no value is found where one is needed.
            ReferenceKind::Value => continue,
            ReferenceKind::Distribution => (document.distribution(&reference.name).is_some(), "a distribution"),
            ReferenceKind::Function => {
                let density = document.distribution(&reference.name).is_some();
                (density || document.function(&reference.name).is_some(), "a function")
            }
            ReferenceKind::Data => (document.data(&reference.name).is_some(), "data"),
        };
        if !found {
            let expected = format!("the name of {kind} of the document");
            reader.lenient(&rule::HS3_UNRESOLVED, &reference.pointer, quote(&reference.name), expected);
            complete = false;
        }
    }
    complete
}

fn check_likelihoods(document: &Hs3Document, reader: &mut Reader) {
    for likelihood in &document.likelihoods {
        let complete = check_references(document, &likelihood.references, reader);
        let (distributions, data) = (likelihood.distributions.len(), likelihood.data.len());
        if complete && distributions != data {
            let found = format!("{distributions} distributions and {data} data");
            reader.add(&rule::HS3_LIKELIHOOD, &likelihood.pointer, found, "one entry of data for each distribution");
        }
    }
    for analysis in &document.analyses {
        let known = document.likelihoods.iter().any(|l| l.name == analysis.likelihood);
        if !known {
            let at = format!("{}/likelihood", analysis.pointer);
            let expected = "the name of a likelihood of the document";
            reader.lenient(&rule::HS3_UNRESOLVED, &at, quote(&analysis.likelihood), expected);
        }
        for name in analysis.domains.iter().filter(|name| document.domain(name).is_none()) {
            let at = format!("{}/domains", analysis.pointer);
            reader.lenient(&rule::HS3_UNKNOWN_DOMAIN, &at, quote(name), "the name of a domain of the document");
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    New,
    Open,
    Done,
}

/// A walk in depth with a stack of its own; one finding for each reference that closes a circle.
fn check_cycles(document: &Hs3Document, reader: &mut Reader) {
    let functions = document.distributions.len();
    let references = |node: usize| -> &[Reference] {
        match node.checked_sub(functions) {
            None => &document.distributions[node].references,
            Some(i) => &document.functions[i].references,
        }
    };
    let target = |name: &str| {
        let distribution = document.index.distributions.get(name).copied();
        distribution.or_else(|| document.index.functions.get(name).map(|i| functions + i))
    };
    let mut marks = vec![Mark::New; functions + document.functions.len()];
    for start in 0..marks.len() {
        if marks[start] != Mark::New {
            continue;
        }
        marks[start] = Mark::Open;
        let mut stack = vec![(start, 0usize)];
        while let Some((node, next)) = stack.last_mut() {
            let Some(reference) = references(*node).get(*next) else {
                marks[*node] = Mark::Done;
                stack.pop();
                continue;
            };
            *next += 1;
            let Some(other) = target(&reference.name) else { continue };
            match marks[other] {
                Mark::New => {
                    marks[other] = Mark::Open;
                    stack.push((other, 0));
                }
                Mark::Open => {
                    let expected = "something that does not need this component itself";
                    reader.add(&rule::HS3_CYCLE, &reference.pointer, quote(&reference.name), expected);
                }
                Mark::Done => {}
            }
        }
    }
}
