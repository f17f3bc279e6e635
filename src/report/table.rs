//! A result for people: remarks and tables, written as text, CSV or LaTeX.

use super::number::significant;
use super::text;
use comfy_table::{CellAlignment, ContentArrangement, TableComponent, presets};

/// What a command shows: lines of remarks, then tables.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub(super) remarks: Vec<(String, String)>,
    pub(super) tables: Vec<Table>,
    own_text: Option<String>,
}

/// Rows of cells under columns. The title tells the tables of one page apart.
#[derive(Clone, Debug)]
pub struct Table {
    pub(super) title: String,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Cell>>,
}

/// A column's title for people, its name in CSV, and its side.
#[derive(Clone, Debug)]
pub struct Column {
    pub(super) title: String,
    pub(super) key: String,
    pub(super) right: bool,
}

/// One entry: as people read it, and as CSV holds it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    pub(super) shown: String,
    pub(super) exact: String,
    /// Typeset as mathematics in LaTeX.
    pub(super) math: bool,
}

impl Page {
    pub fn new() -> Page {
        Page::default()
    }

    /// Adds a line above the tables; an empty label leaves the value alone on its line.
    pub fn remark(mut self, label: &str, value: impl Into<String>) -> Page {
        self.remarks.push((label.to_owned(), value.into()));
        self
    }

    /// Adds a table.
    pub fn table(mut self, table: Table) -> Page {
        self.tables.push(table);
        self
    }

    /// Shows `text` in the text form instead of remarks and tables.
    pub fn shown_as(mut self, text: String) -> Page {
        self.own_text = Some(text);
        self
    }

    /// For a terminal: no frame, one rule under the header, cells never wrapped.
    pub fn text(&self) -> String {
        if let Some(text) = &self.own_text {
            return text.clone();
        }
        let mut blocks = Vec::new();
        if !self.remarks.is_empty() {
            blocks.push(self.remark_lines().iter().map(|line| format!("{line}\n")).collect());
        }
        blocks.extend(self.tables.iter().map(Table::text));
        blocks.join("\n")
    }

    /// The remarks, labels padded to one width.
    pub fn remark_lines(&self) -> Vec<String> {
        let width = self.remarks.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0) + 2;
        let line = |(label, value): &(String, String)| match label.is_empty() {
            true => value.clone(),
            false => format!("{label:<width$}{value}"),
        };
        self.remarks.iter().map(line).collect()
    }
}

impl Table {
    pub fn new(title: &str, columns: impl IntoIterator<Item = Column>) -> Table {
        Table { title: title.to_owned(), columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    pub fn add_row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn text(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_style(TableComponent::HeaderLines, '─').set_style(TableComponent::MiddleHeaderIntersections, '─');
        let side = |column: &Column| if column.right { CellAlignment::Right } else { CellAlignment::Left };
        table.set_header(self.columns.iter().map(|c| comfy_table::Cell::new(&c.title).set_alignment(side(c))));
        for (index, column) in self.columns.iter().enumerate() {
            if let Some(c) = table.column_mut(index) {
                c.set_cell_alignment(side(column));
            }
        }
        for row in &self.rows {
            table.add_row(row.iter().map(|cell| &cell.shown));
        }
        let lines = table.lines().map(|line| format!("{}\n", line.trim_end()));
        let title = (!self.title.is_empty()).then(|| format!("{}\n\n", self.title));
        title.into_iter().chain(lines).collect()
    }
}

impl Column {
    /// Entries begin at the left.
    pub fn left(title: &str) -> Column {
        Column { title: title.to_owned(), key: title.to_owned(), right: false }
    }

    /// Entries end at the right.
    pub fn right(title: &str) -> Column {
        Column { right: true, ..Column::left(title) }
    }

    /// Names the column otherwise in CSV.
    pub fn key(self, key: &str) -> Column {
        Column { key: key.to_owned(), ..self }
    }
}

impl Cell {
    /// Words of our own.
    pub fn text(text: impl Into<String>) -> Cell {
        let shown = text.into();
        Cell { exact: shown.clone(), shown, math: false }
    }

    /// A name from a document: escaped and cut in the middle for people, as it is in CSV.
    pub fn name(name: &str) -> Cell {
        Cell { shown: text::label(name), exact: name.to_owned(), math: false }
    }

    /// A number with `digits` significant digits for people, all of them in CSV.
    pub fn number(value: f64, digits: usize) -> Cell {
        Cell::number_as(value, significant(value, digits))
    }

    /// A number that people read as `shown`: rounded to its uncertainty, with a unit, after `±`.
    pub fn number_as(value: f64, shown: impl Into<String>) -> Cell {
        Cell { shown: shown.into(), exact: format!("{value:?}"), math: true }
    }

    /// What people read, and what CSV holds.
    pub fn pair(shown: String, exact: String) -> Cell {
        Cell { shown, exact, math: false }
    }

    /// How many.
    pub fn count(count: usize) -> Cell {
        Cell { math: true, ..Cell::text(count.to_string()) }
    }

    /// An interval such as bounds.
    pub fn interval((lo, hi): (f64, f64)) -> Cell {
        let shown = format!("[{}, {}]", significant(lo, 4), significant(hi, 4));
        Cell { shown, exact: format!("[{lo:?}, {hi:?}]"), math: true }
    }

    pub fn empty() -> Cell {
        Cell::default()
    }
}
