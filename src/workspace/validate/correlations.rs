//! Rules for the member `correlations` (spec/constraints.md, "Correlated constraints").

use super::Report;
use crate::document::correlations::CorrelationGroup;
use crate::document::workspace::Workspace;
use crate::finding::{number, quote};
use crate::model::Correlation;
use crate::rule;
use crate::workspace::parameters::{EFT_UNCERTAINTY, ParameterSets};
use std::collections::HashMap;

pub(super) fn check(workspace: &Workspace, sets: &ParameterSets, report: &mut Report) {
    let groups = workspace.correlations.iter().flat_map(|correlations| &correlations.groups).enumerate();
    let mut seen: HashMap<&str, String> = HashMap::new();
    for (g, group) in groups {
        for (i, name) in group.parameters.iter().enumerate() {
            let pointer = format!("/correlations/groups/{g}/parameters/{i}");
            check_parameter(name, &pointer, sets, report);
            if let Some(first) = seen.insert(name, pointer.clone()) {
                let expected = format!("a parameter that is not at {first}");
                report.add(&rule::CORRELATION_PARAMETER, pointer, format!("{} again", quote(name)), expected);
            }
        }
        check_matrix(g, group, report);
    }
}

fn check_parameter(name: &str, pointer: &str, sets: &ParameterSets, report: &mut Report) {
    let expected = "a normsys, histosys or lumi";
    let found = match sets.get(name) {
        Some(set) if matches!(set.kind, "normsys" | "histosys" | "lumi" | EFT_UNCERTAINTY) => return,
        Some(set) => format!("{}, a {}", quote(name), set.kind),
        None => format!("{}, which is no parameter", quote(name)),
    };
    report.add(&rule::CORRELATION_PARAMETER, pointer.to_owned(), found, expected);
}

fn check_matrix(g: usize, group: &CorrelationGroup, report: &mut Report) {
    let (n, pointer) = (group.parameters.len(), format!("/correlations/groups/{g}/matrix"));
    if group.matrix.len() != n || group.matrix.iter().any(|row| row.len() != n) {
        let found = format!("{} rows for {n} parameters", group.matrix.len());
        report.add(&rule::CORRELATION_MATRIX, pointer, found, format!("{n} rows of {n} numbers"));
        return;
    }
    for (i, row) in group.matrix.iter().enumerate() {
        for (j, x) in row.iter().enumerate().take(i + 1) {
            let mirrored = group.matrix[j][i];
            let expected = match i == j {
                true if *x != 1.0 => "1 on the diagonal".to_owned(),
                false if *x != mirrored => format!("{}, as on the other side", number(mirrored)),
                false if x.abs() >= 1.0 => "a number between -1 and 1".to_owned(),
                _ => continue,
            };
            report.add(&rule::CORRELATION_MATRIX, format!("{pointer}/{i}/{j}"), number(*x), expected);
            return;
        }
    }
    if Correlation::new((0..n).collect(), &group.matrix.concat()).is_none() {
        report.add(&rule::CORRELATION_MATRIX, pointer, "a matrix that is not positive definite", "correlations");
    }
}
