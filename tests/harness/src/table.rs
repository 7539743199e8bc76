//! Tables for people to read.

use std::fmt;

/// A table of text, columns aligned: the first to the left, others to the right.
pub struct Table(Vec<Vec<String>>);

impl Table {
    /// With these column titles.
    pub fn new(titles: &[&str]) -> Self {
        Table(vec![titles.iter().map(|&title| title.to_owned()).collect()])
    }

    /// One more row.
    pub fn row(&mut self, cells: &[String]) {
        self.0.push(cells.to_vec());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            self.0
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or_default()
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.0 {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .enumerate()
                .map(|(column, (cell, &wide))| match column {
                    0 => format!("{cell:<wide$}"),
                    _ => format!("{cell:>wide$}"),
                })
                .collect();
            writeln!(out, "  {}", cells.join("   ").trim_end())?;
        }
        Ok(())
    }
}
