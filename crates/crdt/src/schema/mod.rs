//! The shape of a tracked table; `change` is what travels when a table is tracked, altered or no
//! longer tracked.

mod change;

pub use change::{Alteration, SchemaAction, SchemaChange};

use sha2::{Digest, Sha256};

use crate::DecodeError;
use crate::codec::{Reader, at_most, put_bytes, put_varint};
use crate::row::{MAX_COLUMNS, MAX_KEY_COLUMNS, MAX_NAME_BYTES};

/// How a column is replicated.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum ColumnKind {
    /// By the stamp of its row: the last writer wins.
    Plain = 0,
    /// pn_counter.
    PnCounter = 1,
    /// or_set.
    OrSet = 2,
    /// lww_register.
    LwwRegister = 3,
    /// g_counter.
    GCounter = 4,
    /// b_counter.
    BCounter = 5,
    /// mv_register.
    MvRegister = 6,
    /// lww_set.
    LwwSet = 7,
    /// aw_set.
    AwSet = 8,
    /// lww_map.
    LwwMap = 9,
    /// or_map.
    OrMap = 10,
    /// or_cart.
    OrCart = 11,
    /// rga.
    Rga = 12,
    /// rga_text.
    RgaText = 13,
    /// vector_clock.
    VectorClock = 14,
    /// hlc.
    HlcRegister = 15,
}

impl ColumnKind {
    /// From its code.
    pub fn of(code: u8) -> Result<Self, DecodeError> {
        match code {
            0 => Ok(Self::Plain),
            1 => Ok(Self::PnCounter),
            2 => Ok(Self::OrSet),
            3 => Ok(Self::LwwRegister),
            4 => Ok(Self::GCounter),
            5 => Ok(Self::BCounter),
            6 => Ok(Self::MvRegister),
            7 => Ok(Self::LwwSet),
            8 => Ok(Self::AwSet),
            9 => Ok(Self::LwwMap),
            10 => Ok(Self::OrMap),
            11 => Ok(Self::OrCart),
            12 => Ok(Self::Rga),
            13 => Ok(Self::RgaText),
            14 => Ok(Self::VectorClock),
            15 => Ok(Self::HlcRegister),
            code => Err(DecodeError::UnknownCode {
                what: "column kind",
                code,
            }),
        }
    }
}

/// A column of a tracked table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// Unquoted.
    pub name: String,
    /// As format_type gives it, qualified by its schema.
    pub type_name: String,
    /// How it is replicated.
    pub kind: ColumnKind,
    /// Whether it refuses NULL.
    pub not_null: bool,
}

/// A tracked table. Columns are known by their place in `columns`, from 0, everywhere.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableSchema {
    /// Its schema, unquoted.
    pub schema: String,
    /// Its name, unquoted.
    pub table: String,
    /// At most [`MAX_COLUMNS`].
    pub columns: Vec<Column>,
    /// The columns of the primary key in the key's order, at most [`MAX_KEY_COLUMNS`].
    pub key: Vec<u16>,
}

impl TableSchema {
    /// Version byte, names behind their lengths, columns (name, type, u8 kind, u8 not null),
    /// then the key; counts in LEB128.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![1];
        self.put(&mut out);
        out
    }

    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.schema.as_bytes());
        put_bytes(out, self.table.as_bytes());
        put_columns(out, &self.columns);
        put_varint(out, self.key.len() as u64);
        self.key
            .iter()
            .for_each(|column| put_varint(out, u64::from(*column)));
    }

    /// From [`TableSchema::encode`]; anything else, or beyond the limits, is an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader.version()?;
        let schema = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(schema)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let schema = read_name(reader)?;
        let table = read_name(reader)?;
        let columns = read_columns(reader)?;
        let count = reader.count(1)?;
        at_most("key columns", count, MAX_KEY_COLUMNS)?;
        let mut key: Vec<u16> = Vec::with_capacity(count);
        for _ in 0..count {
            let column = u16::try_from(reader.varint()?).unwrap_or(u16::MAX);
            let is_plain = columns
                .get(usize::from(column))
                .is_some_and(|it| it.kind == ColumnKind::Plain);
            if !is_plain || key.contains(&column) {
                return Err(DecodeError::NotCanonical(
                    "the key is not of distinct plain columns",
                ));
            }
            key.push(column);
        }
        if key.is_empty() {
            return Err(DecodeError::NotCanonical("a table without a key"));
        }
        Ok(Self {
            schema,
            table,
            columns,
            key,
        })
    }

    /// SHA-256("bcrdt/schema/v1\0" ‖ encoding).
    pub fn hash(&self) -> [u8; 32] {
        Sha256::new()
            .chain_update(b"bcrdt/schema/v1\0")
            .chain_update(self.encode())
            .finalize()
            .into()
    }

    /// The column at a place.
    pub fn column(&self, column: u16) -> Option<&Column> {
        self.columns.get(usize::from(column))
    }

    /// The kind of a column if it is a CRDT column.
    pub fn crdt_kind(&self, column: u16) -> Option<ColumnKind> {
        self.column(column)
            .map(|column| column.kind)
            .filter(|kind| *kind != ColumnKind::Plain)
    }

    /// The places of the plain columns outside the key, ascending.
    pub fn plain_columns(&self) -> impl Iterator<Item = u16> + '_ {
        (0u16..).zip(&self.columns).filter_map(|(place, column)| {
            let is_plain = column.kind == ColumnKind::Plain && !self.key.contains(&place);
            is_plain.then_some(place)
        })
    }
}

fn put_columns(out: &mut Vec<u8>, columns: &[Column]) {
    put_varint(out, columns.len() as u64);
    for column in columns {
        put_bytes(out, column.name.as_bytes());
        put_bytes(out, column.type_name.as_bytes());
        out.extend([column.kind as u8, u8::from(column.not_null)]);
    }
}

fn read_columns(reader: &mut Reader<'_>) -> Result<Vec<Column>, DecodeError> {
    let count = reader.count(4)?;
    at_most("columns", count, MAX_COLUMNS)?;
    let mut columns: Vec<Column> = Vec::new();
    for _ in 0..count {
        let column = Column {
            name: read_name(reader)?,
            type_name: read_name(reader)?,
            kind: ColumnKind::of(reader.u8()?)?,
            not_null: read_flag(reader)?,
        };
        columns.push(column);
    }
    Ok(columns)
}

fn read_name(reader: &mut Reader<'_>) -> Result<String, DecodeError> {
    let name = reader.text()?;
    at_most("bytes of a name", name.len(), MAX_NAME_BYTES)?;
    Ok(name.to_owned())
}

pub(crate) fn read_flag(reader: &mut Reader<'_>) -> Result<bool, DecodeError> {
    match reader.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        code => Err(DecodeError::UnknownCode { what: "flag", code }),
    }
}
