//! One run of a bench: criterion times, a table is filled beside it.

mod cpu_time;

use std::path::Path;
use std::time::Duration;

use criterion::{Bencher, Criterion};
use peers::table::Table;

use cpu_time::CpuTime;

pub struct Run {
    pub criterion: Criterion<CpuTime>,
    pub table: Table,
}

impl Run {
    /// Of the options on the command line.
    pub fn begin() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("criterion");
        Self {
            criterion: Criterion::default()
                .output_directory(&folder)
                .sample_size(10)
                .warm_up_time(Duration::from_millis(500))
                .measurement_time(Duration::from_secs(2))
                .with_measurement(CpuTime)
                .configure_from_args(),
            table: Table::new(&folder),
        }
    }

    /// Times a library at a work. `group` must be fit for the name of a folder.
    pub fn time(
        &mut self,
        work: &str,
        group: &str,
        library: &'static str,
        routine: impl FnMut(&mut Bencher<'_, CpuTime>),
    ) {
        let mut benches = self.criterion.benchmark_group(group);
        benches.bench_function(library, routine);
        benches.finish();
        self.table.timed(work, group, library);
    }

    /// What was measured.
    pub fn end(&mut self) -> &Table {
        self.criterion.final_summary();
        &self.table
    }
}
