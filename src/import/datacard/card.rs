//! A card: its channels, the columns of processes, and its lines by kind.

use super::Problems;
use super::lines::{self, Lines};
use crate::finding::{number, quote};
use std::collections::{HashMap, HashSet};

/// A region, which Combine calls bin or channel.
#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub name: String,
    /// What the line `observation` says; −1 stands for the sum of a histogram.
    pub observed: Option<f64>,
}

/// A process in a channel.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub channel: usize,
    pub process: String,
    pub is_signal: bool,
    pub rate: f64,
}

/// `shapes PROCESS CHANNEL FILE [NOMINAL [SYSTEMATIC]]`.
#[derive(Clone, Debug)]
pub(super) struct ShapesLine {
    pub process: String,
    pub channel: String,
    pub rest: Vec<String>,
    pub line: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Entry {
    None,
    One(f64),
    /// Below and above.
    Two(f64, f64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    LogNormal,
    LogUniform,
    /// With the number of events in the control region.
    Gamma(f64),
    /// `optional`: a log-normal where there are no histograms.
    Shape {
        uniform: bool,
        optional: bool,
    },
}

/// A line with one entry for each column.
#[derive(Clone, Debug)]
pub(super) struct Systematic {
    pub name: String,
    pub kind: Kind,
    pub entries: Vec<Entry>,
    pub line: usize,
}

/// `NAME param MEAN SIGMA [RANGE]`.
#[derive(Clone, Debug)]
pub(super) struct Param {
    pub name: String,
    pub mean: f64,
    pub sigma: f64,
    pub range: Option<(f64, f64)>,
    pub line: usize,
}

#[derive(Clone, Debug)]
pub(super) enum RateValue {
    Free { value: f64, range: Option<(f64, f64)> },
    Formula { formula: String, arguments: Vec<String> },
}

/// `NAME rateParam CHANNEL PROCESS …`.
#[derive(Clone, Debug)]
pub(super) struct RateParam {
    pub name: String,
    pub channel: String,
    pub process: String,
    pub value: RateValue,
    pub line: usize,
}

/// `CHANNEL autoMCStats THRESHOLD [SIGNAL [MODE]]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct McStats {
    pub threshold: f64,
    pub with_signal: bool,
    pub mode: i64,
    pub line: usize,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Card {
    pub channels: Vec<Channel>,
    pub columns: Vec<Column>,
    pub shapes: Vec<ShapesLine>,
    pub systematics: Vec<Systematic>,
    pub params: Vec<Param>,
    pub rate_params: Vec<RateParam>,
    pub mc_stats: HashMap<usize, McStats>,
    /// Names of parameters that `nuisance edit freeze` holds, with lines.
    pub frozen: Vec<(String, usize)>,
    /// Where the columns stand.
    pub line: usize,
}

impl Card {
    /// `None` where the columns are not known, so that nothing else makes sense.
    pub fn read(text: &str, problems: &mut Problems) -> Option<Card> {
        let mut lines = Lines::new(text);
        let mut head = Head::default();
        let mut card = Card::default();
        let mut ended = false;
        for (line, words) in lines.by_ref() {
            head.read(line, &words, &mut card, problems);
            if words[0] == "rate" {
                (card.line, ended) = (line, true);
                break;
            }
        }
        if !ended {
            problems.syntax(lines.count_all(), "no line that begins with rate", "one, after the lines bin and process");
            return None;
        }
        head.columns(&mut card, problems)?;
        let mut edits = Vec::new();
        let mut counted = 0;
        for (line, words) in lines {
            counted += usize::from(lines::read(line, &words, &mut card, &mut edits, problems));
        }
        lines::edit(&mut card, &edits, problems);
        if let Some((wanted, line)) = head.kmax.filter(|(n, _)| *n != counted && edits.is_empty()) {
            let found = format!("kmax {wanted} where {counted} lines are systematic uncertainties");
            problems.syntax(line, found, "their number, or *");
        }
        card.check_names(problems);
        Some(card)
    }

    pub fn column_name(&self, column: &Column) -> String {
        format!("{} in {}", quote(&column.process), quote(&self.channels[column.channel].name))
    }

    /// One line for each nuisance parameter.
    fn check_names(&self, problems: &mut Problems) {
        let mut seen = HashMap::new();
        let systematics = self.systematics.iter().map(|s| (&s.name, s.line));
        for (name, line) in systematics.chain(self.params.iter().map(|p| (&p.name, p.line))) {
            if let Some(first) = seen.insert(name.clone(), line) {
                let found = format!("{} a second time, after line {first}", quote(name));
                problems.refuse(line, found, "one line for each nuisance parameter");
            }
        }
    }
}

/// Combine takes the last of such lines, and whoever reads the card the one that is seen first.
fn once(is_first: bool, line: usize, words: &[&str], problems: &mut Problems) {
    if !is_first {
        problems.syntax(line, format!("a second line {}", words[0]), "one");
    }
}

/// What stands before the systematic uncertainties.
#[derive(Default)]
struct Head {
    imax: Option<(usize, usize)>,
    jmax: Option<(usize, usize)>,
    kmax: Option<(usize, usize)>,
    bins: Option<(Vec<String>, usize)>,
    observed: Option<(Vec<f64>, usize)>,
    /// Names of the channels, as they stood above the observations.
    observed_bins: Option<Vec<String>>,
    processes: Vec<(Vec<String>, usize)>,
    rates: Vec<f64>,
}

impl Head {
    fn read(&mut self, line: usize, words: &[&str], card: &mut Card, problems: &mut Problems) {
        let owned = || words[1..].iter().map(|w| (*w).to_owned()).collect::<Vec<String>>();
        match words[0] {
            "imax" => self.imax = count(line, words, problems),
            "jmax" => self.jmax = count(line, words, problems),
            "kmax" => self.kmax = count(line, words, problems),
            "shapes" => match words {
                [_, process, channel, rest @ ..] if !rest.is_empty() => {
                    if let Some(first) = card.shapes.iter().find(|s| s.process == *process && s.channel == *channel) {
                        let found = format!("process {process}, channel {channel} again, after line {}", first.line);
                        problems.syntax(line, found, "one line shapes for each of them");
                    }
                    let rest = rest.iter().map(|w| (*w).to_owned()).collect();
                    let (process, channel) = ((*process).to_owned(), (*channel).to_owned());
                    card.shapes.push(ShapesLine { process, channel, rest, line });
                }
                _ => problems.syntax(
                    line,
                    "a line shapes with too few words",
                    "shapes PROCESS CHANNEL FILE [NOMINAL [SYSTEMATIC]]",
                ),
            },
            "observation" | "Observation" => {
                once(self.observed.is_none(), line, words, problems);
                self.observed = numbers(line, &words[1..], problems).map(|n| (n, line));
                if let Some((bins, _)) = self.bins.take() {
                    self.observed_bins = Some(bins);
                }
            }
            "bin" => {
                for name in words[1..].iter().filter(|name| name.starts_with(|c: char| c.is_ascii_digit())) {
                    problems.syntax(
                        line,
                        format!("the channel {}", quote(name)),
                        "a name that does not begin with a digit",
                    );
                }
                once(self.bins.is_none(), line, words, problems);
                self.bins = Some((owned(), line));
            }
            "process" => self.processes.push((owned(), line)),
            "rate" => self.rates = numbers(line, &words[1..], problems).unwrap_or_default(),
            word if word.starts_with('#') || word.starts_with("--") || word == "Combination" => {}
            word => {
                let found = format!("a line that begins with {}", quote(word));
                problems.dropped(
                    line,
                    found,
                    "imax, jmax, kmax, shapes, bin, observation, process or rate: Combine passes over others",
                );
            }
        }
    }

    /// Makes channels and columns of what was read.
    fn columns(&self, card: &mut Card, problems: &mut Problems) -> Option<()> {
        let rate_line = card.line;
        let Some((bins, bin_line)) = &self.bins else {
            problems.syntax(rate_line, "no line bin above the processes", "one with the channel of each column");
            return None;
        };
        let [(first, _), (second, id_line)] = self.processes.as_slice() else {
            let found = format!("{} lines process", self.processes.len());
            problems.syntax(rate_line, found, "two: names and numbers, 0 or less for signals");
            return None;
        };
        let are_ids = |words: &[String]| words.iter().all(|w| w.parse::<i64>().is_ok());
        let (names, ids) = if are_ids(first) && !are_ids(second) { (second, first) } else { (first, second) };
        let n = bins.len();
        if names.len() != n || ids.len() != n || self.rates.len() != n {
            let found =
                format!("{n} channels, {} names, {} numbers and {} rates", names.len(), ids.len(), self.rates.len());
            problems.syntax(rate_line, found, "as many of each, one a column");
            return None;
        }
        let own: Vec<String> = match &self.observed_bins {
            Some(own) => own.clone(),
            None => distinct(bins),
        };
        card.channels = own.iter().map(|name| Channel { name: name.clone(), observed: None }).collect();
        if distinct(&own).len() != own.len() {
            problems.syntax(*bin_line, "a channel twice above the observations", "each once");
            return None;
        }
        self.observations(card, problems);
        self.fill(card, bins, names, (ids, *id_line), *bin_line, problems);
        let processes = distinct(names);
        self.signals(card, &processes, *id_line, problems);
        if let Some((wanted, line)) = self.imax.filter(|(wanted, _)| *wanted != own.len()) {
            problems.syntax(
                line,
                format!("imax {wanted} where there are {} channels", own.len()),
                "their number, or *",
            );
        }
        if let Some((wanted, line)) = self.jmax.filter(|(wanted, _)| wanted + 1 != processes.len()) {
            let found = format!("jmax {wanted} where there are {} processes", processes.len());
            problems.syntax(line, found, "their number less one, or *");
        }
        Some(())
    }

    /// One column for each of the words.
    fn fill(
        &self,
        card: &mut Card,
        bins: &[String],
        names: &[String],
        (ids, id_line): (&[String], usize),
        bin_line: usize,
        problems: &mut Problems,
    ) {
        let rate_line = card.line;
        let own = card.channels.iter().enumerate();
        let places: HashMap<String, usize> = own.map(|(i, channel)| (channel.name.clone(), i)).collect();
        let mut seen = HashSet::new();
        for (((bin, process), id), rate) in bins.iter().zip(names).zip(ids).zip(&self.rates) {
            let Some(channel) = places.get(bin.as_str()) else {
                problems.syntax(bin_line, format!("the channel {}", quote(bin)), "one of those with an observation");
                continue;
            };
            let Ok(id) = id.parse::<i64>() else {
                problems.syntax(id_line, format!("the number {} of a process", quote(id)), "a whole number");
                continue;
            };
            if !seen.insert((*channel, process.clone())) {
                problems.syntax(bin_line, format!("{} in {} twice", quote(process), quote(bin)), "one column");
            }
            let column = Column { channel: *channel, process: process.clone(), is_signal: id <= 0, rate: *rate };
            if *rate < 0.0 && *rate != -1.0 {
                let found = format!("the rate {} of {}", number(*rate), card.column_name(&column));
                problems.syntax(rate_line, found, "a number that is not negative, or -1 for the sum of the histogram");
            }
            card.columns.push(column);
        }
    }

    fn observations(&self, card: &mut Card, problems: &mut Problems) {
        match &self.observed {
            Some((observed, _)) if observed.len() == card.channels.len() => {
                for (channel, observed) in card.channels.iter_mut().zip(observed) {
                    channel.observed = Some(*observed);
                }
            }
            Some((observed, line)) => {
                let found = format!("{} observations in {} channels", observed.len(), card.channels.len());
                problems.syntax(*line, found, "one for each channel");
            }
            None => problems.syntax(card.line, "no line observation", "one with the counts of all channels"),
        }
    }

    fn signals(&self, card: &Card, processes: &[String], line: usize, problems: &mut Problems) {
        for process in processes {
            let mut own = card.columns.iter().filter(|c| c.process == *process).map(|c| c.is_signal);
            let first = own.next();
            if own.any(|other| Some(other) != first) {
                problems.syntax(
                    line,
                    format!("{} as signal and as background", quote(process)),
                    "one of them in all channels",
                );
            }
        }
        if !card.columns.iter().any(|column| column.is_signal) {
            problems.syntax(line, "no signal", "a process whose number is 0 or less, which r scales");
        }
    }
}

fn distinct(names: &[String]) -> Vec<String> {
    let mut seen = HashSet::new();
    names.iter().filter(|name| seen.insert(name.as_str())).cloned().collect()
}

/// The number behind imax, jmax or kmax; `*` leaves it open.
fn count(line: usize, words: &[&str], problems: &mut Problems) -> Option<(usize, usize)> {
    match words.get(1).map(|word| word.parse()) {
        Some(Ok(n)) => Some((n, line)),
        _ if words.get(1) == Some(&"*") => None,
        _ => {
            problems.syntax(line, format!("{} without a number", words[0]), "a whole number, or *");
            None
        }
    }
}

pub(super) fn numbers(line: usize, words: &[&str], problems: &mut Problems) -> Option<Vec<f64>> {
    let mut all = Vec::with_capacity(words.len());
    for word in words {
        match word.parse::<f64>() {
            Ok(x) if x.is_finite() => all.push(x),
            _ => {
                problems.syntax(line, quote(word), "a finite number");
                return None;
            }
        }
    }
    Some(all)
}
