//! Columns in memory: numbers as binary64, event numbers as integers, names as text; what may not be in them
//! (spec/event-database.md, "Columns").

use super::open::Database;
use crate::finding::{Result, quote};
use crate::rule::{self, Rule};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType, RecordBatch};
use arrow_schema::DataType;

/// Integers up to it are binary64 numbers without loss.
const LARGEST_EXACT: i64 = 1 << 53;

/// What a column is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Finite numbers.
    Number,
    /// Numbers of events.
    Integer,
    /// Names.
    Text,
}

/// A column to be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    pub name: String,
    pub kind: Kind,
}

impl Wanted {
    pub fn number(name: &str) -> Wanted {
        Wanted { name: name.to_owned(), kind: Kind::Number }
    }
}

impl Wanted {
    /// What a message says where a file with these columns (names and types) does not have the wanted one once: what is
    /// there, and what could be meant.
    pub(super) fn missing(&self, columns: &[(String, String)]) -> Option<(String, String)> {
        let found = match columns.iter().filter(|(name, _)| *name == self.name).count() {
            1 => return None,
            0 => format!("no column {}", quote(&self.name)),
            n => format!("{n} columns {}", quote(&self.name)),
        };
        let names: Vec<String> = columns.iter().take(40).map(|(name, _)| quote(name)).collect();
        let more = if columns.len() > names.len() { ", …" } else { "" };
        Some((found, format!("one of its columns, {}{more}", names.join(", "))))
    }
}

/// The values of one column in some rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    Number(Vec<f64>),
    Integer(Vec<i64>),
    Text(Vec<String>),
    /// It has a type (its name) that its use does not allow.
    Unfit(String),
    /// The value of this row of the batch is missing or cannot be held.
    Hole(usize, &'static str),
}

/// Some consecutive rows of the wanted columns, in the order in which they were asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The number of the first row, the file's first being 0.
    pub first_row: u64,
    pub n_rows: usize,
    pub columns: Vec<Column>,
}

impl Batch {
    /// The wanted columns of a record batch, which may have others and another order.
    pub(super) fn from_arrow(records: &RecordBatch, wanted: &[Wanted]) -> Batch {
        let columns = wanted.iter().map(|column| match records.column_by_name(&column.name) {
            Some(array) => convert(array, column.kind),
            None => Column::Unfit("none: it is not in every part of the file".to_owned()),
        });
        Batch { first_row: 0, n_rows: records.num_rows(), columns: columns.collect() }
    }

    /// The numbers of a wanted column; empty if it has none, which its check excludes.
    pub fn numbers(&self, column: usize) -> &[f64] {
        match self.columns.get(column) {
            Some(Column::Number(values)) => values,
            _ => &[],
        }
    }

    pub fn integers(&self, column: usize) -> &[i64] {
        match self.columns.get(column) {
            Some(Column::Integer(values)) => values,
            _ => &[],
        }
    }

    pub fn texts(&self, column: usize) -> &[String] {
        match self.columns.get(column) {
            Some(Column::Text(values)) => values,
            _ => &[],
        }
    }

    /// Everything is of its kind, present and finite.
    pub(super) fn check(&self, database: &Database, wanted: &[Wanted]) -> Result<()> {
        match self.problem(wanted) {
            Some((rule, found, expected)) => Err(database.finding(rule, found, expected).into()),
            None => Ok(()),
        }
    }

    /// The first value that may not be, with its rule and what should be there.
    pub(super) fn problem(&self, wanted: &[Wanted]) -> Option<(&'static Rule, String, &'static str)> {
        self.columns.iter().zip(wanted).find_map(|(column, wanted)| {
            let name = quote(&wanted.name);
            let at = |row: usize| format!("column {name}, row {} (from 0)", self.first_row + row as u64);
            match column {
                Column::Unfit(kind) => {
                    let expected = match wanted.kind {
                        Kind::Number => "float64, float32 or integers",
                        Kind::Integer => "integers",
                        Kind::Text => "strings",
                    };
                    Some((&rule::EVENT_COLUMN_TYPE, format!("column {name} of type {kind}"), expected))
                }
                Column::Hole(row, why) => Some((&rule::EVENT_VALUE, format!("{why} in {}", at(*row)), "a number")),
                Column::Number(values) => {
                    let (row, value) = values.iter().enumerate().find(|(_, x)| !x.is_finite())?;
                    Some((&rule::EVENT_VALUE, format!("{value} in {}", at(row)), "a finite number"))
                }
                Column::Integer(_) | Column::Text(_) => None,
            }
        })
    }
}

fn convert(array: &dyn Array, kind: Kind) -> Column {
    if let Some(row) = (array.null_count() > 0).then(|| (0..array.len()).find(|i| array.is_null(*i))).flatten() {
        return Column::Hole(row, "a missing value");
    }
    match (kind, array.data_type()) {
        (Kind::Number, DataType::Float64) => Column::Number(array.as_primitive::<Float64Type>().values().to_vec()),
        (Kind::Number, DataType::Float32) => {
            Column::Number(array.as_primitive::<Float32Type>().values().iter().map(|x| f64::from(*x)).collect())
        }
        (Kind::Text, DataType::Utf8) => Column::Text(texts(array.as_string::<i32>().iter())),
        (Kind::Text, DataType::LargeUtf8) => Column::Text(texts(array.as_string::<i64>().iter())),
        (Kind::Text, DataType::Utf8View) => Column::Text(texts(array.as_string_view().iter())),
        (Kind::Number, other) => match integers(array) {
            None => Column::Unfit(other.to_string()),
            Some(Err(row)) => Column::Hole(row, "an integer too large"),
            Some(Ok(values)) => match values.iter().position(|x| !(-LARGEST_EXACT..=LARGEST_EXACT).contains(x)) {
                Some(row) => Column::Hole(row, "an integer above 2^53"),
                #[allow(clippy::cast_precision_loss)] // exact up to 2^53
                None => Column::Number(values.into_iter().map(|x| x as f64).collect()),
            },
        },
        (Kind::Integer, other) => match integers(array) {
            None => Column::Unfit(other.to_string()),
            Some(Err(row)) => Column::Hole(row, "an integer above 2^63 − 1"),
            Some(Ok(values)) => Column::Integer(values),
        },
        (Kind::Text, other) => Column::Unfit(other.to_string()),
    }
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> Vec<String> {
    values.map(|text| text.unwrap_or_default().to_owned()).collect()
}

/// Integers of any width; the row that none holds; nothing for other types.
fn integers(array: &dyn Array) -> Option<std::result::Result<Vec<i64>, usize>> {
    fn widened<T: ArrowPrimitiveType<Native: Into<i64>>>(array: &dyn Array) -> Vec<i64> {
        array.as_primitive::<T>().values().iter().map(|x| (*x).into()).collect()
    }
    Some(Ok(match array.data_type() {
        DataType::Int64 => array.as_primitive::<Int64Type>().values().to_vec(),
        DataType::Int32 => widened::<Int32Type>(array),
        DataType::Int16 => widened::<Int16Type>(array),
        DataType::Int8 => widened::<Int8Type>(array),
        DataType::UInt32 => widened::<UInt32Type>(array),
        DataType::UInt16 => widened::<UInt16Type>(array),
        DataType::UInt8 => widened::<UInt8Type>(array),
        DataType::UInt64 => {
            let values = array.as_primitive::<UInt64Type>().values();
            let converted: std::result::Result<Vec<i64>, usize> =
                values.iter().enumerate().map(|(row, x)| i64::try_from(*x).map_err(|_| row)).collect();
            return Some(converted);
        }
        _ => return None,
    }))
}
