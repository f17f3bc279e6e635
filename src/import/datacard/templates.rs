//! Histograms that the lines `shapes` name.

use super::card::{Card, ShapesLine};
use super::{DatacardOptions, Open, Problems};
use crate::finding::quote;
use crate::root_file::{Histogram, RootFile};
use std::collections::HashMap;
use std::rc::Rc;

pub(super) struct Templates<'o, 'f> {
    options: &'o DatacardOptions,
    open: &'o mut Open<'f>,
    files: HashMap<String, std::result::Result<Rc<RootFile>, String>>,
    /// How many histograms were not there.
    missing: usize,
}

/// What a line `shapes` says of a process.
pub(super) enum Template {
    /// A counting experiment.
    Fake,
    Histogram(Histogram),
    /// There is none, which is no error for `shape?`.
    Missing,
    /// Told already.
    Failed,
}

impl<'o, 'f> Templates<'o, 'f> {
    pub fn new(options: &'o DatacardOptions, open: &'o mut Open<'f>) -> Templates<'o, 'f> {
        Templates { options, open, files: HashMap::new(), missing: 0 }
    }

    /// The template of a process, or of one side of a systematic; `required` in the line that asks for it.
    pub fn get(
        &mut self,
        card: &Card,
        [channel, process, systematic]: [&str; 3],
        required: Option<usize>,
        problems: &mut Problems,
    ) -> Template {
        if card.shapes.is_empty() {
            return Template::Fake;
        }
        let Some(line) = find(card, channel, process) else {
            let found = format!("no line shapes for {} in {}", quote(process), quote(channel));
            problems.template(required.unwrap_or(card.line), found, "one, or FAKE for a counting experiment");
            return Template::Failed;
        };
        let (file, object) = match line.rest.as_slice() {
            [fake] if fake == "FAKE" => return Template::Fake,
            [file, nominal] | [file, nominal, _] if systematic.is_empty() => (file, nominal),
            [file, _, object] => (file, object),
            [_, _] if required.is_none() => return Template::Missing,
            [_, _] => {
                let found = format!("no names of systematic histograms, needed for {}", quote(systematic));
                problems.template(line.line, found, "a fifth word such as $PROCESS_$SYSTEMATIC");
                return Template::Failed;
            }
            _ => {
                problems.syntax(
                    line.line,
                    "a line shapes that cannot be read",
                    "shapes PROCESS CHANNEL FILE NOMINAL [SYSTEMATIC], or FAKE",
                );
                return Template::Failed;
            }
        };
        let names = [channel, process, systematic];
        let (Some(file), Some(object)) =
            (self.fill(file, names, line, problems), self.fill(object, names, line, problems))
        else {
            return Template::Failed;
        };
        self.histogram(&file, &object, line.line, required, problems)
    }

    fn histogram(
        &mut self,
        file: &str,
        object: &str,
        line: usize,
        required: Option<usize>,
        problems: &mut Problems,
    ) -> Template {
        if object.contains(':') {
            let found = format!("{} in {}", quote(object), quote(file));
            problems.refuse(line, found, "a TH1: a RooWorkspace or a tree has no form here");
            return Template::Failed;
        }
        let known = self.files.contains_key(file);
        let opened = self.files.entry(file.to_owned()).or_insert_with(|| (self.open)(file).map(Rc::new));
        let opened = match opened {
            Ok(opened) => Rc::clone(opened),
            Err(why) => {
                if !known {
                    problems.template(line, format!("the file {}: {why}", quote(file)), "a ROOT file that can be read");
                }
                return Template::Failed;
            }
        };
        match opened.histogram(object) {
            Ok(Some(histogram)) => {
                let numbers = histogram.contents.iter().chain(&histogram.errors);
                if numbers.clone().all(|x| x.is_finite()) {
                    return Template::Histogram(histogram);
                }
                let found = format!("{} in {} with contents or errors that are no numbers", quote(object), quote(file));
                problems.template(line, found, "finite numbers");
            }
            Ok(None) if required.is_none() => return Template::Missing,
            Ok(None) => {
                self.missing += 1;
                let near = if self.missing > ADVISED { String::new() } else { near(&opened, object) };
                let found = format!("no {} in {}", quote(object), quote(file));
                problems.template(required.unwrap_or(line), found, format!("a histogram{near}"));
            }
            Err(error) => {
                problems.template(line, format!("{} in {}", error.0, quote(file)), "a histogram of one dimension")
            }
        }
        Template::Failed
    }

    /// Replaces the words that stand for others.
    fn fill(
        &self,
        pattern: &str,
        [channel, process, systematic]: [&str; 3],
        line: &ShapesLine,
        problems: &mut Problems,
    ) -> Option<String> {
        let text = pattern.replace("$PROCESS", process).replace("$CHANNEL", channel).replace("$SYSTEMATIC", systematic);
        let text = match (text.contains("$MASS"), self.options.mass) {
            (false, _) => text,
            (true, Some(mass)) => text.replace("$MASS", &crate::finding::number(mass)),
            (true, None) => {
                problems.template(line.line, "$MASS without a mass", "--mass");
                return None;
            }
        };
        if text.contains('$') {
            problems.template(
                line.line,
                quote(&text),
                "no other words with $ than $PROCESS, $CHANNEL, $SYSTEMATIC and $MASS",
            );
            return None;
        }
        Some(text)
    }
}

/// The line for a process, in Combine's order: the channel's own lines first, then those of all channels.
fn find<'c>(card: &'c Card, channel: &str, process: &str) -> Option<&'c ShapesLine> {
    let of = |channel: &str, process: &str| card.shapes.iter().find(|s| s.channel == channel && s.process == process);
    of(channel, process).or_else(|| of(channel, "*")).or_else(|| of("*", process)).or_else(|| of("*", "*"))
}

/// Names are compared for the first of the histograms that are missing.
const ADVISED: usize = 10;

/// Names like the one that is missing.
fn near(file: &RootFile, object: &str) -> String {
    let mut paths = file.paths();
    paths.truncate(20_000);
    paths.sort_by_key(|path| strsim::levenshtein(path.get(..200).unwrap_or(path), object));
    paths.truncate(3);
    let names: Vec<String> = paths.iter().map(|path| quote(path)).collect();
    if names.is_empty() { String::new() } else { format!(", such as {}", names.join(", ")) }
}
