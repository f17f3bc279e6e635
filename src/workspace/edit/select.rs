//! Parts of a workspace by name: a name that is there, else a glob; and selectors, which are several of them.

use crate::document::workspace::{Modifier, Workspace};
use crate::finding::{Finding, quote};
use crate::rule;
use crate::translate::from_pyhf::Compat;
use std::collections::{BTreeSet, HashMap};
use std::str::FromStr;

/// The names that `pattern` means: the name itself if it is there, else all that it fits as a glob.
pub(in crate::workspace) fn matching<'w>(pattern: &str, names: &BTreeSet<&'w str>) -> BTreeSet<&'w str> {
    if let Some(name) = names.get(pattern) {
        return BTreeSet::from([*name]);
    }
    match globset::Glob::new(pattern) {
        Ok(glob) => {
            let glob = glob.compile_matcher();
            names.iter().filter(|name| glob.is_match(name)).copied().collect()
        }
        Err(_) => BTreeSet::new(),
    }
}

/// How many names a hint lists.
const MOST_NAMES: usize = 5;
/// Names longer than this are not compared: the cost grows with the product of the lengths.
const LONGEST_COMPARED: usize = 256;

/// The names that are nearest to `name`.
pub(in crate::workspace) fn nearest(name: &str, names: &BTreeSet<&str>) -> Option<String> {
    let near = |candidate: &str| match name.len().max(candidate.len()) > LONGEST_COMPARED {
        true => 0.0,
        false => strsim::jaro_winkler(name, candidate),
    };
    let mut sorted: Vec<&str> = names.iter().copied().collect();
    sorted.sort_by_cached_key(|candidate| std::cmp::Reverse((1e6 * near(candidate)) as u32));
    let listed: Vec<String> = sorted.iter().take(MOST_NAMES).map(|name| quote(name)).collect();
    let more = names.len() - listed.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!listed.is_empty()).then(|| format!("there are {}{more}", listed.join(", ")))
}

/// All names of a workspace.
pub(super) struct Names<'w> {
    pub channels: BTreeSet<&'w str>,
    pub samples: BTreeSet<&'w str>,
    pub modifiers: BTreeSet<&'w str>,
    pub types: BTreeSet<&'w str>,
    pub measurements: BTreeSet<&'w str>,
}

impl<'w> Names<'w> {
    pub fn of(workspace: &'w Workspace, compat: Compat) -> Names<'w> {
        let samples = || workspace.channels.iter().flat_map(|channel| &channel.samples);
        let modifiers = || samples().flat_map(|sample| &sample.modifiers);
        let mut types: BTreeSet<&str> = modifiers().map(Modifier::kind).collect();
        if compat == Compat::Pyhf {
            // pyhf keeps the last type by name: a histosys is none where every one has a normsys of its name.
            let mut last: HashMap<&str, &str> = HashMap::new();
            for modifier in modifiers() {
                let kind = last.entry(modifier.name()).or_insert(modifier.kind());
                *kind = (*kind).max(modifier.kind());
            }
            types = last.into_values().collect();
        }
        Names {
            channels: workspace.channels.iter().map(|channel| channel.name.as_str()).collect(),
            samples: samples().map(|sample| sample.name.as_str()).collect(),
            modifiers: modifiers().map(Modifier::name).collect(),
            types,
            measurements: workspace.measurements.iter().map(|measurement| measurement.name.as_str()).collect(),
        }
    }
}

/// That a name or pattern means nothing in the workspace.
pub(in crate::workspace) fn unknown(what: &str, pattern: &str, names: &BTreeSet<&str>) -> Finding {
    let expected = format!("a {what} of the workspace");
    let finding = Finding::new(&rule::EDIT_UNKNOWN, format!("the {what} {}", quote(pattern)), expected);
    match nearest(pattern, names) {
        Some(hint) => finding.hint(hint),
        None => finding,
    }
}

/// `channel=SR*/sample=ttbar/modifier=JES*/type=histosys`: parts of a workspace by the names of what they belong to. The last
/// of channel, sample and modifier (or type) says what is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    text: String,
    pub channel: Option<String>,
    pub sample: Option<String>,
    pub modifier: Option<String>,
    pub kind: Option<String>,
}

/// What a selector selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    Channels,
    Samples,
    Modifiers,
}

/// The names that a selector means in a workspace; any name where it says nothing.
pub(super) struct Fitting<'w> {
    channels: Option<BTreeSet<&'w str>>,
    samples: Option<BTreeSet<&'w str>>,
    modifiers: Option<BTreeSet<&'w str>>,
    types: Option<BTreeSet<&'w str>>,
}

impl Fitting<'_> {
    pub fn channel(&self, name: &str) -> bool {
        self.channels.as_ref().is_none_or(|names| names.contains(name))
    }

    pub fn sample(&self, name: &str) -> bool {
        self.samples.as_ref().is_none_or(|names| names.contains(name))
    }

    pub fn modifier(&self, modifier: &Modifier) -> bool {
        self.modifiers.as_ref().is_none_or(|names| names.contains(modifier.name()))
            && self.types.as_ref().is_none_or(|types| types.contains(modifier.kind()))
    }
}

impl Selector {
    const KEYS: [&'static str; 4] = ["channel", "sample", "modifier", "type"];

    pub(super) fn means(&self) -> Meant {
        match (&self.sample, self.modifier.is_some() || self.kind.is_some()) {
            (_, true) => Meant::Modifiers,
            (Some(_), false) => Meant::Samples,
            (None, false) => Meant::Channels,
        }
    }

    /// The names that the parts mean.
    pub(super) fn fitting<'w>(&self, names: &Names<'w>) -> Fitting<'w> {
        let fits = |pattern: &Option<String>, names: &BTreeSet<&'w str>| pattern.as_ref().map(|p| matching(p, names));
        Fitting {
            channels: fits(&self.channel, &names.channels),
            samples: fits(&self.sample, &names.samples),
            modifiers: fits(&self.modifier, &names.modifiers),
            types: fits(&self.kind, &names.types),
        }
    }

    fn set(&mut self, key: &str, pattern: &str) -> Result<(), String> {
        let member = match key {
            "channel" => &mut self.channel,
            "sample" => &mut self.sample,
            "modifier" => &mut self.modifier,
            _ => &mut self.kind,
        };
        match member.replace(pattern.to_owned()) {
            None => Ok(()),
            Some(_) => Err(format!("{key}= stands twice")),
        }
    }
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Selector, String> {
        let mut selector = Selector { text: text.to_owned(), ..Selector::default() };
        let mut rest = text;
        while !rest.is_empty() {
            let key = Selector::KEYS.iter().find(|key| starts_with_key(rest, key));
            let Some(key) = key else {
                return Err("expected parts such as channel=SR*/sample=ttbar/modifier=JES*/type=histosys".to_owned());
            };
            let value = &rest[key.len() + 1..];
            // A name may hold the character /: it ends where the next key begins.
            let end = value.match_indices('/').map(|(i, _)| i);
            let end = end.filter(|i| Selector::KEYS.iter().any(|key| starts_with_key(&value[i + 1..], key))).min();
            let end = end.unwrap_or(value.len());
            selector.set(key, &value[..end])?;
            rest = value.get(end + 1..).unwrap_or_default();
        }
        if text.is_empty() { Err("the selector is empty".to_owned()) } else { Ok(selector) }
    }
}

fn starts_with_key(text: &str, key: &str) -> bool {
    text.strip_prefix(key).is_some_and(|rest| rest.starts_with('='))
}

impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_read() {
        let selector: Selector = "channel=SR*/sample=t/t=1/modifier=JES*".parse().expect("a selector");
        let own = |text: &str| Some(text.to_owned());
        assert_eq!((selector.channel, selector.sample), (own("SR*"), own("t/t=1")));
        assert_eq!((selector.modifier, selector.kind), (own("JES*"), None));
        for wrong in ["", "SR", "channel", "channel=a/channel=b", "/channel=a"] {
            assert!(wrong.parse::<Selector>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_that_is_there_is_no_glob() {
        let names = BTreeSet::from(["a*", "ab", "[x]", "x"]);
        assert_eq!(matching("a*", &names), BTreeSet::from(["a*"]));
        assert_eq!(matching("?b", &names), BTreeSet::from(["ab"]));
        assert_eq!(matching("[x]", &names), BTreeSet::from(["[x]"]));
        assert!(matching("[", &names).is_empty() && matching("y", &names).is_empty());
    }
}
