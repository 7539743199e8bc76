//! Tables for people to read.

use std::fmt;

/// A table of text: columns of figures are aligned to the right, others to the left.
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
        let figures = |column: usize| {
            let mut cells = self.0.iter().skip(1).filter_map(|row| row.get(column));
            column > 0 && cells.all(|cell| cell.starts_with(|c: char| c.is_ascii_digit()))
        };
        let layout: Vec<(usize, bool)> = (0..columns).map(|at| (width(at), figures(at))).collect();
        for row in &self.0 {
            let cells: Vec<String> = row
                .iter()
                .zip(&layout)
                .map(|(cell, &(wide, figures))| match figures {
                    true => format!("{cell:>wide$}"),
                    false => format!("{cell:<wide$}"),
                })
                .collect();
            writeln!(out, "  {}", cells.join("   ").trim_end())?;
        }
        Ok(())
    }
}
