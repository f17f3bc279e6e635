//! All databases of a document, each opened and checked once, and which of their rows its samples use.

use super::histogram::{Binned, RowSet, fill};
use super::open::Database;
use crate::document::eft::{Eft, EventMcStat, EventMcStatWord, EventsData, Overlap};
use crate::finding::{Finding, Findings, Result, quote};
use crate::rule;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A sample that is a histogram of events.
#[derive(Clone, Copy, Debug)]
pub struct Use<'a> {
    pub data: &'a EventsData,
    pub channel: &'a str,
    pub sample: &'a str,
    /// JSON Pointer of its modifier, for messages.
    pub pointer: &'a str,
}

/// The databases that a likelihood has used so far.
#[derive(Debug)]
pub struct Databases<'a> {
    eft: &'a Eft,
    folder: PathBuf,
    /// Rows that are in memory at once, where not the default.
    pub batch_rows: Option<usize>,
    /// By name, each opened once; what is wrong with a database is told of every use of it.
    entries: BTreeMap<String, Result<Entry>>,
}

#[derive(Debug)]
struct Entry {
    database: Database,
    /// A promise of positive weights that does not hold.
    broken: Findings,
    used: Vec<Used>,
}

#[derive(Debug)]
struct Used {
    channel: String,
    sample: String,
    rows: RowSet,
    overlap: Overlap,
    has_variance: bool,
}

/// The histogram of one sample alone: see [`Databases::bin`] for several.
pub fn load(eft: &Eft, usage: &Use, folder: &Path) -> Result<Binned> {
    Databases::new(eft, folder).bin(usage)
}

impl<'a> Databases<'a> {
    /// `folder` is where the document lies.
    pub fn new(eft: &'a Eft, folder: &Path) -> Databases<'a> {
        Databases { eft, folder: folder.to_path_buf(), batch_rows: None, entries: BTreeMap::new() }
    }

    /// The histogram of a sample. A row that another sample has used already is an error, unless both allow it.
    pub fn bin(&mut self, usage: &Use) -> Result<Binned> {
        self.bin_unplaced(usage).map_err(|findings| at(findings, usage.pointer)).map(|mut binned| {
            binned.warnings = at(std::mem::take(&mut binned.warnings), usage.pointer);
            binned
        })
    }

    /// The histogram of a sample with its events, which does not count as a use of their rows.
    pub fn with_events(&mut self, usage: &Use) -> Result<Binned> {
        let eft = self.eft;
        let entry = self.entry(&usage.data.database).map_err(|findings| at(findings, usage.pointer))?;
        if !entry.broken.is_valid() {
            return Err(entry.broken.clone());
        }
        let binned = fill(&entry.database, eft, usage, &mut RowSet::default(), true);
        binned.map_err(|findings| at(findings, usage.pointer))
    }

    fn entry(&mut self, name: &str) -> Result<&mut Entry> {
        if !self.entries.contains_key(name) {
            let entry = self.open(name);
            self.entries.insert(name.to_owned(), entry);
        }
        match self.entries.get_mut(name) {
            Some(Ok(entry)) => Ok(entry),
            Some(Err(findings)) => Err(findings.clone()),
            None => Err(Findings::default()),
        }
    }

    fn bin_unplaced(&mut self, usage: &Use) -> Result<Binned> {
        let (eft, mut rows) = (self.eft, RowSet::default());
        let entry = self.entry(&usage.data.database)?;
        let mut findings = entry.broken.clone();
        let binned = match fill(&entry.database, eft, usage, &mut rows, false) {
            Ok(binned) => binned,
            Err(more) => {
                findings.0.extend(more.0);
                return Err(findings);
            }
        };
        let used = Used {
            channel: usage.channel.to_owned(),
            sample: usage.sample.to_owned(),
            rows,
            overlap: usage.data.overlap,
            has_variance: usage.data.mc_stat != EventMcStat::Word(EventMcStatWord::None),
        };
        for other in &entry.used {
            if let Some(row) = other.rows.common(&used.rows)
                && !compatible(other, &used)
            {
                let place = |u: &Used| format!("sample {} of channel {}", quote(&u.sample), quote(&u.channel));
                let found = format!("row {row} (from 0) in {} and in {}", place(other), place(&used));
                let expected = "each row in one sample, or an overlap that both allow";
                findings.push(entry.database.finding_of_use(&rule::EVENT_OVERLAP, found, expected));
            }
        }
        entry.used.push(used);
        if findings.is_valid() { Ok(binned) } else { Err(findings) }
    }

    /// The database of a name, opened and checked.
    fn open(&self, name: &str) -> Result<Entry> {
        let mut named = self.eft.event_databases.iter().enumerate().filter(|(_, d)| d.name == name);
        let Some((i, declaration)) = named.next() else {
            let found = format!("event database {}", quote(name));
            return Err(Finding::new(&rule::EVENT_DECLARATION, found, "one of the block eft").into());
        };
        if named.next().is_some() {
            let found = format!("two event databases {}", quote(name));
            return Err(Finding::new(&rule::EVENT_DECLARATION, found, "one of each name").into());
        }
        let mut database = Database::open(declaration, &self.folder, &format!("/eft/event_databases/{i}"))?;
        if let Some(rows) = self.batch_rows {
            database.batch_rows = rows;
        }
        let broken = super::positivity::check(&database, self.eft).err().unwrap_or_default();
        Ok(Entry { database, broken, used: Vec::new() })
    }
}

/// Whether two samples may have a row in common.
fn compatible(a: &Used, b: &Used) -> bool {
    a.overlap == Overlap::Allowed && b.overlap == Overlap::Allowed && !(a.has_variance && b.has_variance)
}

fn at(findings: Findings, pointer: &str) -> Findings {
    Findings(findings.0.into_iter().map(|f| if f.pointer.is_some() { f } else { f.at(pointer) }).collect())
}
