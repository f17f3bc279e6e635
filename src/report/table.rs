//! The look of all tables: no frame, one rule under the header, cells never wrapped.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, TableComponent, presets};

/// A column's title and side.
pub enum Column {
    Left(&'static str),
    Right(&'static str),
}

/// An empty table with these columns.
pub fn new(columns: &[Column]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_style(TableComponent::HeaderLines, '─').set_style(TableComponent::MiddleHeaderIntersections, '─');
    table.set_header(columns.iter().map(|column| match column {
        Column::Left(title) | Column::Right(title) => Cell::new(title).set_alignment(side(column)),
    }));
    for (index, column) in columns.iter().enumerate() {
        if let Some(c) = table.column_mut(index) {
            c.set_cell_alignment(side(column));
        }
    }
    table
}

/// The table's lines, trailing blanks cut, each with a newline.
pub fn lines(table: &Table) -> String {
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn side(column: &Column) -> CellAlignment {
    match column {
        Column::Left(_) => CellAlignment::Left,
        Column::Right(_) => CellAlignment::Right,
    }
}
