//! Prints what was measured: work, ours, each peer, and how the peer compares.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Deserialize;

/// What stands in one cell.
enum Figure {
    /// Nanoseconds: the median that criterion wrote for this group and function.
    Median { group: String, function: String },
    /// Nanoseconds of a single pass.
    Once(f64),
    /// Bytes.
    Bytes(f64),
}

struct Cell {
    work: String,
    library: &'static str,
    figure: Figure,
}

/// All that was measured in one run.
pub struct Table {
    folder: PathBuf,
    begun: SystemTime,
    cells: Vec<Cell>,
}

impl Table {
    /// Of a run that begins now and whose results criterion writes to `folder`.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            begun: SystemTime::now(),
            cells: Vec::new(),
        }
    }

    /// A work that criterion timed. `group` must be fit for the name of a folder.
    pub fn timed(&mut self, work: &str, group: &str, library: &'static str) {
        let (group, function) = (group.to_owned(), library.to_owned());
        self.push(work, library, Figure::Median { group, function });
    }

    /// A work that takes too long to repeat.
    pub fn once(&mut self, work: &str, library: &'static str, taken: Duration) {
        self.push(work, library, Figure::Once(taken.as_nanos() as f64));
    }

    /// A size in bytes.
    pub fn bytes(&mut self, work: &str, library: &'static str, bytes: f64) {
        self.push(work, library, Figure::Bytes(bytes));
    }

    fn push(&mut self, work: &str, library: &'static str, figure: Figure) {
        self.cells.push(Cell {
            work: work.to_owned(),
            library,
            figure,
        });
    }

    /// One table of these libraries, those of ours first; a peer's ratio is to the first that
    /// was measured of ours. More than 1 means that the peer takes longer or more room. Work of
    /// which nothing was measured of ours is left out.
    pub fn print(&self, title: &str, ours: &[&str], peers: &[&str]) {
        let libraries = [ours, peers].concat();
        let mut lines = vec![format!("{:<46}", title)];
        lines[0].extend(libraries.iter().map(|library| format!("{library:>22}")));
        let mut works: Vec<&str> = Vec::new();
        for cell in self
            .cells
            .iter()
            .filter(|cell| ours.contains(&cell.library))
        {
            if !works.contains(&cell.work.as_str()) {
                works.push(&cell.work);
            }
        }
        for work in works {
            let own = ours.iter().find_map(|library| self.value(work, library));
            let mut line = format!("{work:<46}");
            let mut is_measured = false;
            for library in &libraries {
                let Some((value, shown)) = self.value(work, library) else {
                    line.push_str(&format!("{:>22}", "-"));
                    continue;
                };
                is_measured = true;
                let ratio = match &own {
                    Some((own, _)) if peers.contains(library) => format!("{:.2}x", value / own),
                    _ => String::new(),
                };
                line.push_str(&format!("{shown:>13} {ratio:>8}"));
            }
            if is_measured {
                lines.push(line);
            }
        }
        if lines.len() > 1 {
            println!("\n{}", lines.join("\n"));
        }
    }

    /// The figure and how it is shown.
    fn value(&self, work: &str, library: &str) -> Option<(f64, String)> {
        let cell = self
            .cells
            .iter()
            .find(|cell| cell.work == work && cell.library == library)?;
        match &cell.figure {
            Figure::Once(nanos) => Some((*nanos, duration(*nanos))),
            Figure::Bytes(bytes) => Some((*bytes, format!("{bytes:.1} B"))),
            Figure::Median { group, function } => {
                let nanos = self.median(group, function)?;
                Some((nanos, duration(nanos)))
            }
        }
    }

    /// None if this run did not measure it, as when a filter left it out.
    fn median(&self, group: &str, function: &str) -> Option<f64> {
        #[derive(Deserialize)]
        struct Estimates {
            median: Estimate,
        }
        #[derive(Deserialize)]
        struct Estimate {
            point_estimate: f64,
        }
        let path = self
            .folder
            .join(group)
            .join(function)
            .join("new/estimates.json");
        let written = fs::metadata(&path).ok()?.modified().ok()?;
        if written < self.begun {
            return None;
        }
        let estimates: Estimates = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        Some(estimates.median.point_estimate)
    }
}

fn duration(nanos: f64) -> String {
    match nanos {
        n if n < 1e3 => format!("{n:.1} ns"),
        n if n < 1e6 => format!("{:.2} us", n / 1e3),
        n if n < 1e9 => format!("{:.2} ms", n / 1e6),
        n => format!("{:.2} s", n / 1e9),
    }
}
