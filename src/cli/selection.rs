//! Parameters chosen on the command line: a name, `name[i]`, or a glob.

use crate::model::Model;
use crate::report::by_name::did_you_mean;
use crate::report::text;
use globset::{Glob, GlobMatcher};

/// What a pattern names.
#[derive(Clone, Debug, PartialEq)]
pub struct Selection {
    /// Scalar parameters, in fit order.
    pub indices: Vec<usize>,
    pub rank: Rank,
}

/// How narrow a pattern is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    Glob,
    /// The name of a set of several values.
    Set,
    /// The name of one scalar parameter.
    Scalar,
}

/// The scalar parameters that `pattern` names.
///
/// In this order: the name of a set (all its values); the name of a scalar, `name[i]`; a glob over both, where `[i]`
/// at the end stays an index, not a class of characters.
///
/// # Errors
/// One sentence, where nothing matches or the glob is malformed.
pub fn select(model: &Model, pattern: &str) -> Result<Selection, String> {
    let scalars = scalars(model);
    let matching = |matches: &dyn Fn(&Scalar) -> bool| -> Vec<usize> {
        scalars.iter().enumerate().filter(|(_, s)| matches(s)).map(|(i, _)| i).collect()
    };
    let hint = || did_you_mean(pattern, scalars.iter().flat_map(|s| [s.set, s.name.as_str()]));
    let glob = |pattern: &str| glob(pattern).map_err(|e| format!("{e}{}", hint()));
    let set = matching(&|s| s.set == pattern);
    if !set.is_empty() {
        let scalar = scalars.iter().any(|s| s.set == pattern && s.index.is_none());
        return Ok(Selection { indices: set, rank: if scalar { Rank::Scalar } else { Rank::Set } });
    }
    let scalar = matching(&|s| s.name == pattern);
    if !scalar.is_empty() {
        return Ok(Selection { indices: scalar, rank: Rank::Scalar });
    }
    if let Some((head, index)) = split_index(pattern) {
        let glob = glob(head)?;
        let indexed = matching(&|s| s.index == Some(index) && glob.is_match(s.set));
        if !indexed.is_empty() {
            return Ok(Selection { indices: indexed, rank: Rank::Glob });
        }
    }
    let glob = glob(pattern)?;
    let matched = matching(&|s| glob.is_match(s.set) || glob.is_match(&s.name));
    if matched.is_empty() {
        return Err(format!("no parameter of the model matches {}{}", text::label(pattern), hint()));
    }
    Ok(Selection { indices: matched, rank: Rank::Glob })
}

/// Splits `NAME=VALUE` at the last `=`.
///
/// # Errors
/// One sentence, where there is no `=` or the value is no finite number.
pub fn assignment(text: &str) -> Result<(&str, f64), String> {
    let (name, value) = text.rsplit_once('=').ok_or_else(|| format!("expected NAME=VALUE, found {text}"))?;
    let number = value.trim().parse::<f64>().ok().filter(|v| v.is_finite());
    Ok((name, number.ok_or_else(|| format!("expected a number after the = of {text}"))?))
}

struct Scalar<'m> {
    set: &'m str,
    name: String,
    /// Position in a set that is not a scalar.
    index: Option<usize>,
}

fn scalars(model: &Model) -> Vec<Scalar<'_>> {
    let of_set = |set: &crate::model::ParameterSet| {
        let indexed = !set.scalar;
        set.scalar_names().into_iter().enumerate().map(move |(i, name)| (name, indexed.then_some(i)))
    };
    let sets = model.parameters.iter();
    sets.flat_map(|set| of_set(set).map(|(name, index)| Scalar { set: set.name.as_str(), name, index })).collect()
}

/// `head[12]` → `("head", 12)`.
fn split_index(pattern: &str) -> Option<(&str, usize)> {
    let (head, index) = pattern.strip_suffix(']')?.rsplit_once('[')?;
    Some((head, index.parse().ok()?))
}

fn glob(pattern: &str) -> Result<GlobMatcher, String> {
    Ok(Glob::new(pattern).map_err(|e| format!("{e}"))?.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ParameterSet;

    fn model() -> Model {
        let set = |name: &str, scalar, n| ParameterSet {
            name: name.to_owned(),
            scalar,
            init: vec![1.0; n],
            bounds: vec![(0.0, 10.0); n],
            fixed: vec![false; n],
            constraints: None,
        };
        let parameters = vec![
            set("alpha_JES", true, 1),
            set("alpha_JER", true, 1),
            set("stat_A", false, 2),
            set("stat_B", false, 1),
        ];
        Model {
            channels: Vec::new(),
            parameters,
            poi: None,
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
    fn names_indices_and_globs() {
        let select = |pattern| select(&model(), pattern).expect("matches").indices;
        assert_eq!(select("alpha_JER"), [1]);
        assert_eq!(select("stat_A"), [2, 3]);
        assert_eq!(select("stat_A[1]"), [3]);
        assert_eq!(select("alpha_*"), [0, 1]);
        assert_eq!(select("stat_*[0]"), [2, 4]);
        assert_eq!(select("alpha_JE[SR]"), [0, 1]);
        assert_eq!(select("*"), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn narrower_names_rank_higher() {
        let rank = |pattern| select(&model(), pattern).expect("matches").rank;
        assert_eq!([rank("alpha_*"), rank("stat_*[0]"), rank("stat_A")], [Rank::Glob, Rank::Glob, Rank::Set]);
        assert_eq!([rank("alpha_JES"), rank("stat_A[0]")], [Rank::Scalar; 2]);
    }

    #[test]
    fn nothing_matches() {
        let error = select(&model(), "alpha_JEX").expect_err("no such parameter");
        assert!(error.contains("did you mean alpha_JE"), "{error}");
        assert!(select(&model(), "stat_A[7]").is_err());
        assert!(select(&model(), "alpha_[").is_err());
    }

    #[test]
    fn assignments() {
        assert_eq!(assignment("mu=-1.5"), Ok(("mu", -1.5)));
        assert_eq!(assignment("a=b=2"), Ok(("a=b", 2.0)));
        assert!(assignment("mu").is_err() && assignment("mu=x").is_err() && assignment("mu=nan").is_err());
    }
}
