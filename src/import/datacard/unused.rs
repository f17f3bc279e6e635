//! What the likelihood does not depend on.

use super::Problems;
use super::card::Card;
use super::formula::Formulas;
use crate::convert::{Content, Effect};
use crate::expression::Expression;
use crate::finding::quote;
use std::collections::{HashMap, HashSet};

/// Leaves out parameters and functions that nothing uses, and tells of those that the card declares.
pub(super) fn remove(content: &mut Content, card: &Card, formulas: &Formulas, problems: &mut Problems) {
    let mut texts: HashMap<&str, &str> = HashMap::new();
    for function in &content.functions {
        texts.insert(&function.name, function.expression().unwrap_or_default());
    }
    let mut used: HashSet<String> = HashSet::new();
    let mut waiting: Vec<String> = Vec::new();
    for modifier in content.channels.iter().flat_map(|c| &c.samples).flat_map(|s| &s.modifiers) {
        waiting.extend(modifier.effect.drivers().iter().cloned());
        if matches!(modifier.effect, Effect::Custom) {
            waiting.push(modifier.name.clone());
        }
    }
    while let Some(name) = waiting.pop() {
        if let Some(text) = texts.get(name.as_str()).filter(|_| !used.contains(&name)) {
            waiting.extend(Expression::parse(text).map(|read| read.names).unwrap_or_default());
        }
        used.insert(name);
    }
    content.parameters.retain(|parameter| used.contains(&parameter.name));
    content.functions.retain(|function| used.contains(&function.name));
    let declared = card.systematics.iter().map(|s| (&s.name, s.line));
    let declared = declared.chain(card.params.iter().map(|p| (&p.name, p.line)));
    for (name, line) in declared.chain(card.rate_params.iter().map(|r| (&r.name, r.line))) {
        if formulas.of(name).is_some_and(|written| !used.contains(written)) {
            problems.dropped(line, format!("{}, on which nothing depends", quote(name)), "an effect on a process");
        }
    }
}
