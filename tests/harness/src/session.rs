//! One connection, with the few calls that tests make over and over.

use postgres::{Client, SimpleQueryMessage};

use crate::{Failure, Outcome};

/// A connection. Values come as PostgreSQL prints them, so that every type can be
/// read without the driver knowing it.
pub struct Session(Client);

impl Session {
    pub(crate) fn new(client: Client) -> Self {
        Session(client)
    }

    /// The driver's own connection, for prepared statements and parameters.
    pub fn client(&mut self) -> &mut Client {
        &mut self.0
    }

    /// Carries out statements and drops what they return.
    #[track_caller]
    pub fn run(&mut self, sql: &str) -> Outcome {
        // Not by map_err: a failure tells the line that called us.
        match self.0.batch_execute(sql) {
            Ok(()) => Ok(()),
            Err(error) => Err(Failure::from(error).during(&first_line(sql))),
        }
    }

    /// All rows; NULL is `None`.
    #[track_caller]
    pub fn rows(&mut self, sql: &str) -> Outcome<Vec<Vec<Option<String>>>> {
        let messages = match self.0.simple_query(sql) {
            Ok(messages) => messages,
            Err(error) => return Err(Failure::from(error).during(&first_line(sql))),
        };
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(
                (0..row.len())
                    .map(|column| row.get(column).map(str::to_owned))
                    .collect(),
            ),
            _ => None,
        });
        Ok(rows.collect())
    }

    /// The first column of the first row; an error when there is none or it is NULL.
    #[track_caller]
    pub fn text(&mut self, sql: &str) -> Outcome<String> {
        let first = self
            .rows(sql)?
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next());
        match first {
            Some(Some(text)) => Ok(text),
            Some(None) => Err(Failure::new(format!("NULL from: {}", first_line(sql)))),
            None => Err(Failure::new(format!("no row from: {}", first_line(sql)))),
        }
    }

    /// As people would say it while they wait: the first column of the first row, or
    /// that there is none yet.
    #[track_caller]
    pub(crate) fn state(&mut self, sql: &str) -> Outcome<String> {
        let first = self
            .rows(sql)?
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next());
        Ok(match first {
            Some(Some(text)) => text,
            Some(None) => "NULL".to_owned(),
            None => "no row".to_owned(),
        })
    }

    /// The first column of the first row as a number.
    #[track_caller]
    pub fn number(&mut self, sql: &str) -> Outcome<i64> {
        let text = self.text(sql)?;
        match text.parse() {
            Ok(number) => Ok(number),
            Err(_) => Err(Failure::new(format!(
                "{text:?} is no number, from: {}",
                first_line(sql)
            ))),
        }
    }

    /// The first column of the first row as a truth value.
    #[track_caller]
    pub fn is(&mut self, sql: &str) -> Outcome<bool> {
        Ok(self.text(sql)? == "t")
    }

    /// The error that `sql` must end with: SQLSTATE, message, detail and hint in one
    /// text. That it succeeds is a failure.
    #[track_caller]
    pub fn refused(&mut self, sql: &str) -> Outcome<String> {
        match self.0.simple_query(sql) {
            Ok(_) => Err(Failure::new(format!(
                "should have been refused: {}",
                first_line(sql)
            ))),
            Err(error) if error.as_db_error().is_some() => Ok(Failure::from(error).to_string()),
            Err(error) => Err(error.into()),
        }
    }
}

fn first_line(sql: &str) -> String {
    let line = sql.trim().lines().next().unwrap_or_default();
    line.chars().take(100).collect()
}
