//! Correlated constraints when parameters go: the marginal of a multivariate normal distribution has the rows and columns of
//! those that are left (spec/operations.md, section 2).

use super::rewrite::Rewritten;
use crate::document::patch::Operation;
use crate::document::workspace::Workspace;
use crate::workspace::parameters;
use serde_json::{Value, json};

/// (pointer, name) of the correlated parameters that nothing declares any more.
pub(super) fn undeclared(before: &Workspace, left: &Workspace) -> Vec<(String, String)> {
    let Some(correlations) = &before.correlations else { return Vec::new() };
    let (before, left) = (parameters::collect(before), parameters::collect(left));
    let goes = |name: &str| before.contains_key(name) && !left.contains_key(name);
    let groups = correlations.groups.iter().enumerate();
    let all = groups.flat_map(|(g, group)| {
        let names = group.parameters.iter().enumerate();
        names.map(move |(i, name)| (format!("/correlations/groups/{g}/parameters/{i}"), name.clone()))
    });
    all.filter(|(_, name)| goes(name)).collect()
}

/// Takes parameters out of their groups. A parameter alone has the constraint of its modifier; no groups are no member.
pub(super) fn marginalise(rewritten: &mut Rewritten, gone: &[(String, String)]) {
    let groups = rewritten.document.pointer_mut("/correlations/groups").and_then(Value::as_array_mut);
    let Some(groups) = groups.filter(|_| !gone.is_empty()) else { return };
    for g in (0..groups.len()).rev() {
        let list = format!("/correlations/groups/{g}");
        let names = groups[g]["parameters"].as_array().map_or(0, Vec::len);
        let stays = |i: &usize| !gone.iter().any(|(pointer, _)| *pointer == format!("{list}/parameters/{i}"));
        let kept: Vec<usize> = (0..names).filter(stays).collect();
        if kept.len() == names {
            continue;
        }
        if kept.len() < 2 {
            groups.remove(g);
            rewritten.patch.push(Operation::Remove { path: list });
            continue;
        }
        let pick = |items: &Value| kept.iter().filter_map(|i| items.get(*i).cloned()).collect::<Vec<Value>>();
        let rows = pick(&groups[g]["matrix"]);
        let value =
            [("parameters", pick(&groups[g]["parameters"])), ("matrix", rows.iter().map(|r| json!(pick(r))).collect())];
        for (member, value) in value {
            groups[g][member] = json!(value);
            rewritten.patch.push(Operation::Replace { path: format!("{list}/{member}"), value: json!(value) });
        }
    }
    if groups.is_empty() {
        rewritten.document.as_object_mut().map(|document| document.remove("correlations"));
        rewritten.patch.push(Operation::Remove { path: "/correlations".to_owned() });
    }
}
