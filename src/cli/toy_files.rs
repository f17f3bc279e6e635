//! Files of toys: a header and one line a toy, read back to be merged or gone on with.

use super::CommandError;
use super::toys::Indices;
use crate::infer::TestStatistic;
use crate::infer::toy_test::Distribution;
use crate::report::hypotest::Statistic;
use crate::report::reason::Reason;
use crate::report::text;
use crate::report::toys::{HypothesisName, TOY_FILE, ToyHeader, ToyLine, ToyReport};
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;

/// What an interrupted run has left.
#[derive(Debug, Default)]
pub struct Known {
    pub toys: Indices,
    /// Whole lines of the file, in bytes.
    pub bytes: u64,
}

/// The toys of several files.
pub struct Merged {
    header: ToyHeader,
    tested: Vec<Option<f64>>,
    alternative: Vec<Option<f64>>,
}

impl Merged {
    pub fn report(self) -> Result<ToyReport, Reason> {
        let of = |values: Vec<Option<f64>>| Distribution::from_values(values.into_iter());
        Ok(ToyReport::new(&self.header, &of(self.tested), &of(self.alternative)))
    }
}

/// Toys that a file with this header has already; none where there is no file. A last line that is not whole is left out.
pub fn known(path: &Path, header: &ToyHeader) -> Result<Known, CommandError> {
    let mut known = Known::default();
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(known),
        Err(e) => return Err(unreadable(path, &e)),
    };
    let read = read(path, BufReader::new(file), &mut |toy| known.toys.insert((toy.hypothesis, toy.index)))?;
    let Some((there, bytes)) = read else { return Ok(known) };
    if let Some(difference) = difference(&there, header).or((there.shard != header.shard).then_some("shard")) {
        let path = text::escape(&path.display().to_string());
        return Err(CommandError::Message(format!(
            "{path}: its toys differ from those asked for in {difference}: write to another file, or run without --resume"
        )));
    }
    known.bytes = bytes;
    Ok(known)
}

/// Reads files of the same test and checks that no toy is there twice.
pub fn merge(paths: &[impl AsRef<Path>]) -> Result<Merged, CommandError> {
    let mut merged: Option<Merged> = None;
    let mut seen = Indices::new();
    for path in paths {
        let path = path.as_ref();
        let file = std::fs::File::open(path).map_err(|e| unreadable(path, &e))?;
        let (mut toys, mut twice) = (Vec::new(), None);
        let read = read(path, BufReader::new(file), &mut |toy| {
            let fresh = seen.insert((toy.hypothesis, toy.index));
            if !fresh {
                twice = twice.or(Some((toy.hypothesis, toy.index)));
            }
            toys.push(toy);
            true
        })?;
        let shown = text::escape(&path.display().to_string());
        let message = |what: String| Err(CommandError::Message(format!("{shown}: {what}")));
        let Some((header, _)) = read else { return message("it has no header".to_owned()) };
        let statistic = of_name(header.test_stat);
        let merged = match &mut merged {
            None => merged.insert(Merged { header, tested: Vec::new(), alternative: Vec::new() }),
            Some(merged) => match difference(&merged.header, &header) {
                None => merged,
                Some(difference) => {
                    return message(format!("its toys differ from those of the first file in {difference}"));
                }
            },
        };
        if let Some((hypothesis, index)) = twice {
            return message(format!("toy {index} of the {} is there twice", name(hypothesis)));
        }
        for toy in toys {
            let value = toy.best_fit.zip(toy.t).map(|(mu_hat, t)| statistic.value(merged.header.poi_test, mu_hat, t));
            match toy.hypothesis {
                HypothesisName::Tested => merged.tested.push(value),
                HypothesisName::Alternative => merged.alternative.push(value),
            }
        }
    }
    merged.ok_or_else(|| CommandError::Usage("--merge: no file".to_owned()))
}

/// The header and the number of bytes in whole lines; hands over every toy. Nothing of an empty file.
fn read(
    path: &Path,
    mut lines: impl BufRead,
    each: &mut dyn FnMut(ToyLine) -> bool,
) -> Result<Option<(ToyHeader, u64)>, CommandError> {
    let (mut header, mut bytes, mut number) = (None, 0, 0_u64);
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = lines.read_until(b'\n', &mut line).map_err(|e| unreadable(path, &e))?;
        if length == 0 || line.last() != Some(&b'\n') {
            break;
        }
        number += 1;
        let problem = |what: String| {
            let path = text::escape(&path.display().to_string());
            CommandError::Message(format!("{path}: line {number}: {what}"))
        };
        match &header {
            None => {
                let read: ToyHeader =
                    serde_json::from_slice(&line).map_err(|e| problem(format!("no header of toys: {e}")))?;
                if read.schema != TOY_FILE {
                    return Err(problem(format!("found {}, expected {TOY_FILE}", text::label(&read.schema))));
                }
                header = Some(read);
            }
            Some(header) => {
                let toy: ToyLine = serde_json::from_slice(&line).map_err(|e| problem(format!("no toy: {e}")))?;
                let index = toy.index;
                if index >= header.ntoys {
                    return Err(problem(format!("toy {index} of {} toys", header.ntoys)));
                }
                if !each(toy) {
                    return Err(problem(format!("toy {index} is there twice")));
                }
            }
        }
        bytes += length as u64;
    }
    Ok(header.map(|header| (header, bytes)))
}

/// In what two files are no parts of one run.
fn difference(a: &ToyHeader, b: &ToyHeader) -> Option<&'static str> {
    let compared = [
        (a.inputs == b.inputs, "workspace or options"),
        (a.poi == b.poi, "POI"),
        (a.poi_test == b.poi_test, "tested value"),
        (a.test_stat == b.test_stat, "test statistic"),
        (a.seed == b.seed, "seed"),
        (a.kind == b.kind, "kind"),
        (a.ntoys == b.ntoys, "number of toys"),
    ];
    compared.into_iter().find(|(same, _)| !same).map(|(_, what)| what)
}

fn of_name(name: Statistic) -> TestStatistic {
    match name {
        Statistic::Q0 => TestStatistic::Q0,
        Statistic::Q => TestStatistic::Qmu,
        Statistic::Qtilde => TestStatistic::QmuTilde,
        Statistic::T => TestStatistic::Tmu,
        Statistic::Ttilde => TestStatistic::TmuTilde,
    }
}

fn name(hypothesis: HypothesisName) -> &'static str {
    match hypothesis {
        HypothesisName::Tested => "tested value",
        HypothesisName::Alternative => "alternative",
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::Message(format!("cannot read {}: {error}", text::escape(&path.display().to_string())))
}
