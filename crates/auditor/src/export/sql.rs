//! A chain in a database, read by COPY from `crdt_bundle`, which makes its pieces as they are
//! fetched.

use std::io::{Error, Read};

use postgres::binary_copy::BinaryCopyOutIter;
use postgres::config::Host;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::Type;
use postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Reached, Source, Taken};
use crate::trust;

/// A session in a database that has the extension.
pub struct Database {
    client: Client,
    /// The schema of the extension's functions, as an SQL name.
    schema: String,
}

impl Database {
    /// Connects; `text` is a connection string of libpq.
    pub fn open(text: &str) -> Result<Database, String> {
        let mut config: Config = text.parse().map_err(|error| {
            format!(
                "\"{}\" is neither a log's address nor a connection string: {error}",
                without_password(text)
            )
        })?;
        if config.get_application_name().is_none() {
            config.application_name("bcrdt export");
        }
        // A socket in a folder needs no TLS, and has no name that a certificate could vouch for.
        let local = |host: &Host| matches!(host, Host::Unix(_));
        let connected = match config.get_hosts().iter().all(local) {
            true => config.connect(NoTls),
            false => config.connect(MakeRustlsConnect::new(trust::tls()?)),
        };
        let mut client = connected.map_err(|error| told(&error))?;
        let row = client.query_opt(
            "SELECT quote_ident(nspname) FROM pg_extension e
               JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'blockchain_crdt'",
            &[],
        );
        let row = row.map_err(|error| told(&error))?;
        let row = row.ok_or("the database does not have the extension blockchain_crdt")?;
        let schema = row.try_get(0).map_err(|error| told(&error))?;
        Ok(Database { client, schema })
    }
}

impl Source for Database {
    /// Not known: a checkpoint would tell it, but not of a chain without a block.
    fn tree_size(&mut self) -> Result<Option<u64>, String> {
        let schema = &self.schema;
        let sql = format!(
            "SELECT max(tree_size) FROM (SELECT tree_size FROM {schema}.crdt_blocks ORDER BY height DESC LIMIT 1) b"
        );
        let row = self.client.query_one(&sql, &[]);
        let size: Option<i64> = row
            .and_then(|row| row.try_get(0))
            .map_err(|error| told(&error))?;
        Ok(size.and_then(|size| u64::try_from(size).ok()))
    }

    fn fetch(
        &mut self,
        reached: Reached,
        take: &mut dyn FnMut(&mut dyn Read) -> Result<Taken, String>,
    ) -> Result<Taken, String> {
        // In the select list the pieces are made one by one, not gathered first.
        let sql = format!(
            "COPY (SELECT {}.crdt_bundle({})) TO STDOUT (FORMAT binary)",
            self.schema,
            reached.height.saturating_add(1)
        );
        let copy = self.client.copy_out(&sql).map_err(|error| told(&error))?;
        let rows = BinaryCopyOutIter::new(copy, &[Type::BYTEA]);
        take(&mut Pieces {
            rows,
            piece: Vec::new(),
            at: 0,
        })
    }
}

/// The pieces one after another.
struct Pieces<'a> {
    rows: BinaryCopyOutIter<'a>,
    piece: Vec<u8>,
    at: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.at == self.piece.len() {
            let row = self
                .rows
                .next()
                .map_err(|error| Error::other(told(&error)))?;
            let Some(row) = row else { return Ok(0) };
            let piece = row.try_get(0).map_err(|error| Error::other(told(&error)))?;
            (self.piece, self.at) = (piece, 0);
        }
        let rest = &self.piece[self.at..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

/// What the server says, which the client's error keeps to itself.
fn told(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => match said.hint() {
            Some(hint) => format!("{} ({hint})", said.message()),
            None => said.message().to_owned(),
        },
        None => error.to_string(),
    }
}

/// A connection string may hold a password, which belongs into no message.
fn without_password(text: &str) -> &str {
    match text.contains("password") || text.contains('@') {
        true => "…",
        false => text,
    }
}
