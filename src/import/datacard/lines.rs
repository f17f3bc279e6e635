//! The lines after `rate`.

use super::Problems;
use super::card::{Card, Entry, Kind, McStats, Param, RateParam, RateValue, Systematic, numbers};
use crate::finding::{number, quote};

/// The lines of a card that are not empty, as words, with their numbers.
pub(super) struct Lines<'t> {
    lines: std::iter::Enumerate<std::str::Lines<'t>>,
    count: usize,
    in_head: bool,
}

impl<'t> Lines<'t> {
    pub fn new(text: &'t str) -> Lines<'t> {
        Lines { lines: text.lines().enumerate(), count: text.lines().count(), in_head: true }
    }

    pub fn count_all(&self) -> usize {
        self.count
    }
}

impl<'t> Iterator for Lines<'t> {
    type Item = (usize, Vec<&'t str>);

    fn next(&mut self) -> Option<Self::Item> {
        for (i, line) in self.lines.by_ref() {
            // Combine knows comments at the end of a line only behind the line rate.
            let line = if self.in_head { line } else { line.split('#').next().unwrap_or_default() };
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.first() {
                None => continue,
                Some(first) if !self.in_head && first.starts_with("--") => continue,
                Some(first) => self.in_head &= *first != "rate",
            }
            return Some((i + 1, words));
        }
        None
    }
}

/// `nuisance edit …`.
pub(super) struct Edit {
    words: Vec<String>,
    line: usize,
}

/// Reads one line; whether Combine counts it among those of kmax.
pub(super) fn read(
    line: usize,
    words: &[&str],
    card: &mut Card,
    edits: &mut Vec<Edit>,
    problems: &mut Problems,
) -> bool {
    let [name, kind, rest @ ..] = words else {
        problems.dropped(
            line,
            format!("the word {} alone", quote(words[0])),
            "a name and a type: Combine passes over the line",
        );
        return false;
    };
    let name = named(name, line, problems);
    match *kind {
        "lnN" => systematic(line, name, Kind::LogNormal, rest, card, problems),
        "lnU" => systematic(line, name, Kind::LogUniform, rest, card, problems),
        "gmN" => gamma(line, name, rest, card, problems),
        "shape" | "shape?" | "shapeU" | "shapeU?" => {
            let kind = Kind::Shape { uniform: kind.contains('U'), optional: kind.ends_with('?') };
            systematic(line, name, kind, rest, card, problems);
        }
        "param" => param(line, name, rest, card, problems),
        "rateParam" => {
            rate_param(line, name, rest, card, problems);
            return false;
        }
        "autoMCStats" => {
            mc_stats(line, words[0], rest, card, problems);
            return false;
        }
        "flatParam" => {
            problems.dropped(
                line,
                format!("the flatParam {}", quote(&name)),
                "a parameter of another line: flatParam alone changes nothing",
            );
            return false;
        }
        "group" => {
            problems.dropped(
                line,
                format!("the group {}", quote(&name)),
                "no groups: the likelihood does not depend on them",
            );
            return false;
        }
        "edit" if words[0] == "nuisance" => {
            edits.push(Edit { words: rest.iter().map(|w| (*w).to_owned()).collect(), line });
            return false;
        }
        other => {
            let found = format!("{} of type {}", quote(&name), quote(other));
            problems.refuse(line, found, "lnN, lnU, gmN, shape, shapeU, param, rateParam, flatParam, group, nuisance edit freeze or drop, or autoMCStats");
            return !matches!(other, "extArg" | "discrete");
        }
    }
    true
}

/// The name of a nuisance parameter as Combine has it.
fn named(name: &str, line: usize, problems: &mut Problems) -> String {
    let plain = name.strip_suffix("[nofloat]");
    if plain.is_some() {
        problems.dropped(line, format!("the mark of {}", quote(name)), "none: it is for tools that combine cards");
    }
    let plain = plain.unwrap_or(name);
    if plain.starts_with(|c: char| c.is_ascii_digit()) { format!("theta{plain}") } else { plain.to_owned() }
}

fn systematic(line: usize, name: String, kind: Kind, words: &[&str], card: &mut Card, problems: &mut Problems) {
    let n = card.columns.len();
    if words.len() < n {
        let found = format!("{} entries of {}", words.len(), quote(&name));
        return problems.syntax(line, found, format!("{n}, one for each column"));
    }
    let (words, rest) = words.split_at(n);
    if !rest.is_empty() {
        let found = format!("{} behind the entries of {}", quote(&rest.join(" ")), quote(&name));
        problems.dropped(line, found, "the end of the line, or a comment with #: Combine passes over it");
    }
    let two_sides = matches!(kind, Kind::LogNormal | Kind::LogUniform | Kind::Shape { optional: true, .. });
    let entry = |word: &&str| entry(word, two_sides);
    match words.iter().map(entry).collect::<Result<Vec<Entry>, String>>() {
        Ok(entries) => card.systematics.push(Systematic { name, kind, entries, line }),
        Err(found) => {
            problems.syntax(line, format!("{found} in {}", quote(&name)), "-, a number, or for lnN two with / between")
        }
    }
}

fn entry(word: &str, two_sides: bool) -> Result<Entry, String> {
    if word.bytes().all(|b| b == b'-') {
        return Ok(Entry::None);
    }
    let positive = |text: &str| text.parse::<f64>().ok().filter(|x| x.is_finite() && *x > 0.0);
    if let Some((low, high)) = word.split_once('/') {
        return match (two_sides, positive(low), positive(high)) {
            (true, Some(low), Some(high)) => Ok(Entry::Two(low, high)),
            _ => Err(quote(word)),
        };
    }
    match word.parse::<f64>() {
        Ok(0.0) => Ok(Entry::None),
        Ok(x) if x > 0.0 && x.is_finite() => Ok(Entry::One(x)),
        _ => Err(quote(word)),
    }
}

fn gamma(line: usize, name: String, words: &[&str], card: &mut Card, problems: &mut Problems) {
    let events = words.first().and_then(|word| word.parse::<u32>().ok());
    match (events, words) {
        (Some(events), [_, rest @ ..]) => systematic(line, name, Kind::Gamma(f64::from(events)), rest, card, problems),
        _ => problems.syntax(
            line,
            format!("gmN of {} without events", quote(&name)),
            "their number in the control region",
        ),
    }
}

fn param(line: usize, name: String, words: &[&str], card: &mut Card, problems: &mut Problems) {
    let expected = "NAME param MEAN SIGMA [LOW,HIGH]";
    let (mean, sigma, rest) = match words {
        [mean, sigma, rest @ ..] if rest.len() <= 1 => (mean, sigma, rest),
        _ => return problems.syntax(line, format!("{} words behind param", words.len()), expected),
    };
    if sigma.contains('/') {
        let found = format!("the width {} of {}", quote(sigma), quote(&name));
        return problems.refuse(line, found, "one width: constraints with two sides have no form here");
    }
    let range = match rest.first().map(|word| (word, bounds(word))) {
        Some((word, None)) => return problems.syntax(line, quote(word), expected),
        other => other.and_then(|(_, range)| range),
    };
    let Some(&[mean, sigma]) = numbers(line, &[mean, sigma], problems).as_deref() else { return };
    if sigma <= 0.0 {
        return problems.syntax(line, format!("the width {} of {}", number(sigma), quote(&name)), "a positive number");
    }
    card.params.push(Param { name, mean, sigma, range, line });
}

/// `[LOW,HIGH]`.
fn bounds(word: &str) -> Option<(f64, f64)> {
    let (low, high) = word.strip_prefix('[')?.strip_suffix(']')?.split_once(',')?;
    let (low, high): (f64, f64) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
    (low.is_finite() && high.is_finite() && low <= high).then_some((low, high))
}

fn rate_param(line: usize, name: String, words: &[&str], card: &mut Card, problems: &mut Problems) {
    let expected = "NAME rateParam CHANNEL PROCESS VALUE [LOW,HIGH], or … FORMULA ARGUMENTS";
    let value = match words {
        [_, _, file] if file.contains(".root") && file.contains(':') => {
            let found = format!("the rateParam {} of a RooWorkspace", quote(&name));
            return problems.refuse(line, found, "a number or a formula");
        }
        [_, _, value] => numbers(line, &[value], problems).map(|n| RateValue::Free { value: n[0], range: None }),
        [_, _, value, range] if range.starts_with('[') => match bounds(range) {
            Some(range) => {
                numbers(line, &[value], problems).map(|n| RateValue::Free { value: n[0], range: Some(range) })
            }
            None => return problems.syntax(line, quote(range), expected),
        },
        [_, _, formula, arguments] => {
            let arguments = arguments.split(',').map(str::to_owned).collect();
            Some(RateValue::Formula { formula: (*formula).to_owned(), arguments })
        }
        _ => return problems.syntax(line, format!("{} words behind rateParam", words.len()), expected),
    };
    let Some(value) = value else { return };
    let (channel, process) = (words[0].to_owned(), words[1].to_owned());
    let fits = card
        .columns
        .iter()
        .any(|column| glob(&channel, &card.channels[column.channel].name) && glob(&process, &column.process));
    if !fits {
        let found = format!("process {} in channel {}", quote(&process), quote(&channel));
        return problems.syntax(line, found, "those of a column, with * for any letters");
    }
    card.rate_params.push(RateParam { name, channel, process, value, line });
}

fn mc_stats(line: usize, channels: &str, words: &[&str], card: &mut Card, problems: &mut Problems) {
    let expected = "CHANNEL autoMCStats THRESHOLD [SIGNAL [MODE]]";
    let whole = |word: Option<&&str>, default: i64| word.map_or(Some(default), |word| word.parse().ok());
    let read = match (words.first().and_then(|w| w.parse::<f64>().ok()), whole(words.get(1), 0), whole(words.get(2), 1))
    {
        (Some(threshold), Some(signal), Some(mode)) if words.len() <= 3 && threshold.is_finite() => {
            McStats { threshold, with_signal: signal != 0, mode, line }
        }
        _ => return problems.syntax(line, "an autoMCStats that cannot be read", expected),
    };
    let own: Vec<usize> = (0..card.channels.len()).filter(|i| glob(channels, &card.channels[*i].name)).collect();
    if own.is_empty() {
        return problems.syntax(
            line,
            format!("the channel {}", quote(channels)),
            "one of the card's, with * for any letters",
        );
    }
    card.mc_stats.extend(own.into_iter().map(|channel| (channel, read)));
}

/// Applies `freeze` and `drop`; other edits are refused.
pub(super) fn edit(card: &mut Card, edits: &[Edit], problems: &mut Problems) {
    for Edit { words, line } in edits {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["freeze", name] => card.frozen.push(((*name).to_owned(), *line)),
            ["freeze", name, "ifexists"] => {
                let declares = |name: &str| {
                    card.systematics.iter().any(|s| s.name == name)
                        || card.params.iter().any(|p| p.name == name)
                        || card.rate_params.iter().any(|r| r.name == name)
                };
                if declares(name) {
                    card.frozen.push(((*name).to_owned(), *line));
                } else {
                    problems.dropped(*line, quote(name), "a parameter of this card");
                }
            }
            ["drop", process, channel, name] => drop_entries(card, process, channel, name, *line, problems),
            other => {
                let found = format!("nuisance edit {}", quote(&other.join(" ")));
                problems.refuse(*line, found, "freeze NAME, or drop PROCESS CHANNEL NAME with names or *");
            }
        }
    }
}

/// `nuisance edit drop`: names, or `*` for all; Combine takes regular expressions, too.
fn drop_entries(card: &mut Card, process: &str, channel: &str, name: &str, line: usize, problems: &mut Problems) {
    let plain = |word: &str| word.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') || word == "*";
    if ![process, channel, name].into_iter().all(plain) || name == "*" {
        return problems.refuse(line, "nuisance edit drop with a pattern", "names, or * for all processes or channels");
    }
    let own: Vec<bool> = card
        .columns
        .iter()
        .map(|c| {
            let of_channel = channel == "*" || card.channels[c.channel].name == channel;
            of_channel && (process == "*" || c.process == process)
        })
        .collect();
    let Some(systematic) = card.systematics.iter_mut().find(|s| s.name == name) else {
        return problems.syntax(line, quote(name), "a systematic uncertainty of this card");
    };
    for (entry, own) in systematic.entries.iter_mut().zip(&own) {
        if *own {
            *entry = Entry::None;
        }
    }
}

/// Shell patterns as far as cards have them: `*` stands for any letters.
pub(super) fn glob(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}
