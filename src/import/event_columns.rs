//! Columns of single events as others write them: CSV with a line of names, or arrays in NumPy's archives
//! (spec/eft-importers.md, "Columns of events").

use super::npz::Archive;
use crate::document::Limits;
use crate::finding::{Finding, Result, quote};
use crate::rule;
use std::collections::HashSet;

/// Names with their numbers, one an event; all have as many.
pub type EventColumns = Vec<(String, Vec<f64>)>;

/// Reads an archive if the bytes begin as one, else CSV.
///
/// # Errors
/// `ImportError` for another layout, for what is no finite number, and for names that come twice.
pub fn read(bytes: Vec<u8>, limits: &Limits) -> Result<EventColumns> {
    let columns = if bytes.starts_with(b"PK") { from_archive(bytes, limits)? } else { from_csv(&bytes)? };
    let mut names = HashSet::new();
    if let Some((name, _)) = columns.iter().find(|(name, _)| name.is_empty() || !names.insert(name)) {
        let found =
            if name.is_empty() { "a column without name".to_owned() } else { format!("two columns {}", quote(name)) };
        return Err(wrong(found, "a name of its own for each column"));
    }
    let n_rows = columns.first().map_or(0, |(_, values)| values.len());
    if n_rows == 0 {
        return Err(wrong("no events", "at least one"));
    }
    for (name, values) in &columns {
        if values.len() != n_rows {
            let found = format!("{} entries in column {}", values.len(), quote(name));
            return Err(wrong(found, format!("{n_rows}, as in column {}", quote(&columns[0].0))));
        }
        if let Some(row) = values.iter().position(|x| !x.is_finite()) {
            return Err(wrong(
                format!("{} in column {}, row {row} (from 0)", values[row], quote(name)),
                "a finite number",
            ));
        }
    }
    Ok(columns)
}

/// An array of one axis is a column of its name, one of two axes as many as it has, numbered from 0.
fn from_archive(bytes: Vec<u8>, limits: &Limits) -> Result<EventColumns> {
    let mut archive = Archive::open(bytes, limits)?;
    let mut names = archive.names();
    names.sort();
    let mut columns = Vec::new();
    for name in names {
        let mut own = archive.columns(&name)?;
        match (own.len(), own.pop()) {
            (1, Some(only)) => columns.push((name, only)),
            (_, Some(last)) => {
                own.push(last);
                columns.extend(own.into_iter().enumerate().map(|(k, values)| (format!("{name}_{k}"), values)));
            }
            _ => {}
        }
    }
    Ok(columns)
}

/// Lines that are empty or begin with # are left out.
fn from_csv(bytes: &[u8]) -> Result<EventColumns> {
    let text = std::str::from_utf8(bytes).map_err(|e| wrong(e.to_string(), "CSV in UTF-8, or an npz archive"))?;
    let lines = text.trim_start_matches('\u{feff}').lines().enumerate().map(|(i, line)| (i + 1, line.trim()));
    let mut lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let (_, head) = lines.next().ok_or_else(|| wrong("an empty file", "a line of names"))?;
    let name = |cell: &str| cell.trim().trim_matches('"').to_owned();
    let mut columns: EventColumns = head.split(',').map(|cell| (name(cell), Vec::new())).collect();
    for (number, line) in lines {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        if cells.len() != columns.len() {
            return Err(wrong(
                format!("{} cells in line {number}", cells.len()),
                format!("{}, one for each name in the first line", columns.len()),
            ));
        }
        for ((name, values), cell) in columns.iter_mut().zip(cells) {
            let value = cell
                .parse::<f64>()
                .map_err(|_| wrong(format!("{} in line {number}, column {}", quote(cell), quote(name)), "a number"))?;
            values.push(value);
        }
    }
    Ok(columns)
}

fn wrong(found: impl Into<String>, expected: impl Into<String>) -> crate::finding::Findings {
    let hint = "columns of events are CSV with names in the first line, or an npz archive of arrays of one or two axes";
    Finding::new(&rule::IMPORT_FORMAT, found, expected).hint(hint).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(text: &str) -> std::result::Result<EventColumns, String> {
        read(text.as_bytes().to_vec(), &Limits::default()).map_err(|findings| findings.to_string())
    }

    #[test]
    fn csv_is_read_to_the_last_bit() {
        let found = csv("# ratios\n\"r 1\", w\r\n0.1,2\n\n-3e-5,1e300\n").unwrap();
        assert_eq!(found, [("r 1".to_owned(), vec![0.1, -3e-5]), ("w".to_owned(), vec![2.0, 1e300])]);
    }

    #[test]
    fn other_layouts_are_refused_with_their_place() {
        for (text, told) in [
            ("", "an empty file"),
            ("a,b\n", "no events"),
            ("a,a\n1,2\n", "two columns"),
            ("a,\n1,2\n", "without name"),
            ("a,b\n1\n", "1 cells in line 2"),
            ("a,b\n1,x\n", "\"x\" in line 2"),
            ("a\n1\nnan\n", "row 1"),
            ("a\n1e999\n", "inf"),
        ] {
            let error = csv(text).unwrap_err();
            assert!(error.contains(told), "{told}: {error}");
        }
        assert!(read(vec![0xff, 0xfe], &Limits::default()).is_err());
        assert!(read(b"PK\x03\x04".to_vec(), &Limits::default()).is_err());
    }
}
