//! Tables as comma-separated values after RFC 4180: CRLF lines, one header, numbers with all their digits.

use super::table::{Page, Table};

impl Page {
    /// All tables as one: where a page has several, a first column `table` names each row's table, and columns that a
    /// table lacks are empty. Remarks are not part of it.
    pub fn csv(&self) -> String {
        let several = self.tables.len() > 1;
        let mut keys: Vec<&str> = Vec::new();
        for column in self.tables.iter().flat_map(|t| &t.columns) {
            if !keys.contains(&column.key.as_str()) {
                keys.push(&column.key);
            }
        }
        let mut out = record(several.then_some("table").into_iter().chain(keys.iter().copied()));
        for table in &self.tables {
            let title = several.then_some(table.title.as_str());
            let places: Vec<Option<usize>> = keys.iter().map(|key| place(table, key)).collect();
            for row in &table.rows {
                let cell = |place: &Option<usize>| place.and_then(|i| row.get(i)).map_or("", |c| c.exact.as_str());
                out.push_str(&record(title.into_iter().chain(places.iter().map(cell))));
            }
        }
        out
    }
}

fn place(table: &Table, key: &str) -> Option<usize> {
    table.columns.iter().position(|c| c.key == key)
}

fn record<'a>(fields: impl Iterator<Item = &'a str>) -> String {
    let fields: Vec<String> = fields.map(field).collect();
    format!("{}\r\n", fields.join(","))
}

/// Quoted where it holds a comma, a quote or a line break.
fn field(text: &str) -> String {
    match text.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::{Cell, Column, Page, Table};

    #[test]
    fn hard_names_and_all_digits() {
        let mut table = Table::new("", [Column::left("parameter"), Column::right("± σ").key("uncertainty")]);
        table.add_row([Cell::name("a,\"b\"\nc"), Cell::number_as(0.1 + 0.2, "± 0.3")]);
        table.add_row([Cell::name(&"x".repeat(60)), Cell::number(1e300, 3)]);
        table.add_row([Cell::name("µ <&>"), Cell::empty()]);
        let long = "x".repeat(60);
        let expected =
            format!("parameter,uncertainty\r\n\"a,\"\"b\"\"\nc\",0.30000000000000004\r\n{long},1e300\r\nµ <&>,\r\n");
        assert_eq!(Page::new().remark("file", "w.json").table(table).csv(), expected);
    }

    #[test]
    fn several_tables_are_told_apart() {
        let mut bins = Table::new("bins", [Column::left("channel"), Column::right("value")]);
        bins.add_row([Cell::name("SR"), Cell::number(0.5, 3)]);
        let mut parameters = Table::new("parameters", [Column::left("parameter"), Column::right("value")]);
        parameters.add_row([Cell::name("mu"), Cell::number(f64::NAN, 3)]);
        let page = Page::new().table(bins).table(parameters);
        assert_eq!(page.csv(), "table,channel,value,parameter\r\nbins,SR,0.5,\r\nparameters,,NaN,mu\r\n");
    }
}
