//! Columns of numbers of unbinned terms: from a file as those of event databases, or written out in the document
//! (spec/unbinned.md, "Tables").

use super::columns::{Kind, Wanted};
use super::open::Database;
use crate::document::eft::{EventDatabase, EventTable, EventWeights, Normalisation, Positivity, TableFile};
use crate::finding::{Finding, Result};
use crate::rule;
use std::collections::BTreeMap;
use std::path::Path;

/// Most numbers that are read of one table: they are kept in memory.
const MOST_NUMBERS: u64 = 1 << 28;

/// Some columns of a table, in the order in which they were asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub n_rows: usize,
    pub columns: BTreeMap<String, Vec<f64>>,
}

impl Table {
    /// Reads columns; `pointer` is where the table stands in the document, whose folder gives paths a meaning.
    ///
    /// # Errors
    /// Everything that can be wrong with the file of an event database; a column that is not there.
    pub fn read(table: &EventTable, wanted: &[String], folder: &Path, pointer: &str) -> Result<Table> {
        match table {
            EventTable::Inline(inline) => {
                let n_rows = inline.columns.values().next().map_or(0, Vec::len);
                let own = |name: &String| inline.columns.get(name).map(|values| (name.clone(), values.clone()));
                Ok(Table { n_rows, columns: wanted.iter().filter_map(own).collect() })
            }
            EventTable::File(file) => read_file(file, wanted, folder, pointer),
        }
    }
}

fn read_file(file: &TableFile, wanted: &[String], folder: &Path, pointer: &str) -> Result<Table> {
    let numbers = file.n_rows.saturating_mul(wanted.len() as u64);
    if numbers > MOST_NUMBERS {
        let found = format!("{} rows of {} columns", file.n_rows, wanted.len());
        let expected = format!("at most {MOST_NUMBERS} numbers in one table");
        return Err(Finding::new(&rule::UNBINNED_SIZE, found, expected).at(pointer).into());
    }
    let database = Database::open(&declaration(file), folder, pointer)?;
    let kinds: Vec<Wanted> = wanted.iter().map(|name| Wanted { name: name.clone(), kind: Kind::Number }).collect();
    let mut columns: Vec<Vec<f64>> = vec![Vec::new(); wanted.len()];
    database.read(&kinds, |batch| {
        for (place, column) in columns.iter_mut().enumerate() {
            column.extend_from_slice(batch.numbers(place));
        }
        Ok(())
    })?;
    let n_rows = usize::try_from(file.n_rows).unwrap_or(0);
    Ok(Table { n_rows, columns: wanted.iter().cloned().zip(columns).collect() })
}

/// A table as an event database without weights, for the checks of its file.
fn declaration(file: &TableFile) -> EventDatabase {
    EventDatabase {
        name: file.uri.clone(),
        uri: file.uri.clone(),
        sha256: file.sha256.clone(),
        media_type: file.media_type,
        n_rows: file.n_rows,
        weights: EventWeights::Coefficients { monomials: Vec::new(), columns: Vec::new() },
        observables: BTreeMap::new(),
        normalisation: Normalisation::Yields,
        positivity: Positivity::Allow,
        event_id: None,
        channel: None,
        systematics: BTreeMap::new(),
        helicity: None,
    }
}
