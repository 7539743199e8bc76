//! How the demo speaks: headings, sentences, tables; coloured only on a terminal.

use std::fmt::Display;
use std::io::IsTerminal;
use std::time::Instant;

use harness::Table;

const WIDTH: usize = 76;

pub struct Story {
    coloured: bool,
    begin: Instant,
    chapter: u32,
}

impl Story {
    pub fn begin() -> Self {
        let coloured = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Story {
            coloured,
            begin: Instant::now(),
            chapter: 0,
        }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.coloured {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    pub fn title(&self, text: &str) {
        println!("\n{}", self.paint("1", text));
    }

    pub fn chapter(&mut self, text: &str) {
        self.chapter += 1;
        let seconds = self.begin.elapsed().as_secs();
        let title = format!("{}. {text}", self.chapter);
        let time = format!("{}:{:02}", seconds / 60, seconds % 60);
        let gap = WIDTH.saturating_sub(title.chars().count() + time.len());
        println!(
            "\n{}{}{}\n",
            self.paint("1;36", &title),
            " ".repeat(gap),
            self.paint("2", &time)
        );
    }

    pub fn say(&self, text: impl Display) {
        for line in text.to_string().lines() {
            println!("   {line}");
        }
    }

    /// SQL as a person would type it.
    pub fn sql(&self, node: &str, text: &str) {
        for (number, line) in text.trim().lines().enumerate() {
            let prompt = if number == 0 {
                format!("{node}=#")
            } else {
                format!("{node}-#")
            };
            println!(
                "   {} {}",
                self.paint("2", &prompt),
                self.paint("33", line.trim_end())
            );
        }
    }

    /// What happens while the load runs, with the second of the load.
    pub fn event(&self, since: Instant, text: impl Display) {
        let time = format!("{:>5.1} s", since.elapsed().as_secs_f64());
        println!("   {}  {text}", self.paint("2", &time));
    }

    /// A statement that has just been found to hold.
    pub fn holds(&self, text: impl Display) {
        println!("   {} {text}", self.paint("32", "✓"));
    }

    pub fn broken(&self, text: impl Display) {
        println!("\n   {} {text}", self.paint("1;31", "✗"));
    }

    pub fn found(&self, text: impl Display) {
        println!("   {}", self.paint("31", &text.to_string()));
    }

    pub fn table(&self, table: &Table) {
        print!(
            "{}",
            table
                .to_string()
                .lines()
                .map(|line| format!(" {line}\n"))
                .collect::<String>()
        );
    }
}
