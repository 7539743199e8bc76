//! What a process knows about a tracked table, cached until PostgreSQL says
//! that the table changed.

use crate::catalog;
use crate::error::{OrCorrupt, raise};
use crdt::{ColumnKind, TableSchema};
use pgrx::{FromDatum, PgSqlErrorCode, pg_guard, pg_sys, varlena};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::rc::Rc;

/// Name of the column that keeps a row's causal length and stamp.
pub const META: &str = "crdt_meta";

/// One column of a tracked table.
pub struct Column {
    /// Attribute number less one.
    pub attribute: usize,
    /// How the column merges.
    pub kind: ColumnKind,
    /// Column name.
    pub name: String,
    /// Type.
    pub type_oid: pg_sys::Oid,
    /// Type modifier.
    pub type_modifier: i32,
    /// Passed by value?
    pub by_value: bool,
    /// Length of the type, or -1.
    pub length: i16,
    /// Binary output function, looked up once.
    send: Box<pg_sys::FmgrInfo>,
    /// Binary input function and its parameter, looked up once.
    receive: Box<pg_sys::FmgrInfo>,
    receive_parameter: pg_sys::Oid,
}

/// A tracked table.
pub struct Table {
    /// Local number of its schema in `crdt.schema`.
    pub schema_id: i32,
    /// The schema that all members agreed on.
    pub schema: TableSchema,
    /// Columns in the order of the schema.
    pub columns: Vec<Column>,
    /// Positions in `columns` that make the primary key.
    pub key: Vec<usize>,
    /// Attribute number less one of `crdt_meta`.
    pub meta: usize,
}

impl Table {
    /// The columns of a CRDT type, with their places in the schema.
    pub fn crdt_columns(&self) -> impl Iterator<Item = (u16, &Column)> {
        (0u16..)
            .zip(&self.columns)
            .filter(|(_, column)| column.kind != ColumnKind::Plain)
    }
}

unsafe extern "C-unwind" {
    /// PostgreSQL's comparison of two values by their image, toasted or not
    /// (utils/datum.h).
    fn datum_image_eq(
        a: pg_sys::Datum,
        b: pg_sys::Datum,
        by_value: bool,
        length: std::ffi::c_int,
    ) -> bool;
}

thread_local! {
    static CACHE: RefCell<HashMap<u32, Rc<Table>>> = RefCell::new(HashMap::new());
    static WATCHING: RefCell<bool> = const { RefCell::new(false) };
}

/// The tracked table with this OID. Raises an error if it is not tracked.
pub fn tracked(relation: pg_sys::Oid) -> Rc<Table> {
    find(relation).unwrap_or_else(|| {
        raise(
            PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            format!("table {} is not tracked", name_of(relation)),
            "SELECT crdt_track('table') starts tracking; a trigger left by an older set-up can be dropped.",
        )
    })
}

/// The tracked table with this OID, if it is one.
pub fn find(relation: pg_sys::Oid) -> Option<Rc<Table>> {
    let known = CACHE.with_borrow(|cache| cache.get(&relation.to_u32()).cloned());
    known.or_else(|| {
        watch();
        let (schema_id, schema) = catalog::tracked_schema(relation)?;
        let table = Rc::new(load(relation, schema_id, schema));
        CACHE.with_borrow_mut(|cache| cache.insert(relation.to_u32(), Rc::clone(&table)));
        Some(table)
    })
}

/// Forgets all; the worker does so after it changed `crdt.tracked`.
pub fn forget(relation: pg_sys::Oid) {
    // SAFETY: sends an invalidation message to all processes at commit.
    unsafe { pg_sys::CacheInvalidateRelcacheByRelid(relation) }
    CACHE.with_borrow_mut(|cache| cache.remove(&relation.to_u32()));
}

fn watch() {
    WATCHING.with_borrow_mut(|watching| {
        if !*watching {
            // SAFETY: the callback lives as long as the library.
            unsafe {
                pg_sys::CacheRegisterRelcacheCallback(Some(on_change), pg_sys::Datum::null());
            }
            *watching = true;
        }
    });
}

#[pg_guard]
unsafe extern "C-unwind" fn on_change(_argument: pg_sys::Datum, relation: pg_sys::Oid) {
    CACHE.with_borrow_mut(|cache| {
        if relation == pg_sys::InvalidOid {
            cache.clear();
        } else {
            cache.remove(&relation.to_u32());
        }
    });
}

/// Schema-qualified, quoted name of a relation.
pub fn name_of(relation: pg_sys::Oid) -> String {
    // SAFETY: both functions return palloc'd strings, or null for no relation.
    unsafe {
        let name = pg_sys::get_rel_name(relation);
        if name.is_null() {
            return format!("with OID {}", relation.to_u32());
        }
        let schema = pg_sys::get_namespace_name(pg_sys::get_rel_namespace(relation));
        CStr::from_ptr(pg_sys::quote_qualified_identifier(schema, name))
            .to_string_lossy()
            .into_owned()
    }
}

fn load(relation: pg_sys::Oid, schema_id: i32, schema: TableSchema) -> Table {
    let columns = schema
        .columns
        .iter()
        .map(|column| {
            let attribute = attribute_of(relation, &column.name);
            describe(relation, attribute, &column.name, column.kind)
        })
        .collect();
    let key = schema.key.iter().map(|&at| usize::from(at)).collect();
    let meta = attribute_of(relation, META);
    Table {
        schema_id,
        schema,
        columns,
        key,
        meta,
    }
}

/// Attribute number less one.
fn attribute_of(relation: pg_sys::Oid, name: &str) -> usize {
    let text = CString::new(name).or_corrupt("a column name");
    // SAFETY: a catalog look-up.
    let number = unsafe { pg_sys::get_attnum(relation, text.as_ptr()) };
    usize::try_from(number)
        .ok()
        .and_then(|n| n.checked_sub(1))
        .unwrap_or_else(|| {
            raise(
                PgSqlErrorCode::ERRCODE_UNDEFINED_COLUMN,
                format!(
                    "tracked table {} has lost its column \"{name}\"",
                    name_of(relation)
                ),
                "Put the column back, or run crdt_untrack and crdt_track on the table.",
            )
        })
}

fn describe(relation: pg_sys::Oid, attribute: usize, name: &str, kind: ColumnKind) -> Column {
    let number = i16::try_from(attribute + 1).or_corrupt("an attribute number");
    let (mut type_oid, mut type_modifier, mut collation) =
        (pg_sys::InvalidOid, -1, pg_sys::InvalidOid);
    // SAFETY: a catalog look-up into locals.
    unsafe {
        pg_sys::get_atttypetypmodcoll(
            relation,
            number,
            &mut type_oid,
            &mut type_modifier,
            &mut collation,
        );
    }
    Column::of_type(attribute, name, kind, type_oid, type_modifier)
}

/// Send and receive functions convert text between the client's encoding and
/// the server's. While this lives they leave it in the server's, in which it
/// is stored, hashed and synced.
struct ServerEncoding {
    client: i32,
}

impl ServerEncoding {
    fn begin() -> Option<ServerEncoding> {
        // SAFETY: reads and sets this process's encoding; the server's own
        // needs no conversion, so it can always be set.
        unsafe {
            let (client, server) = (
                pg_sys::pg_get_client_encoding(),
                pg_sys::GetDatabaseEncoding(),
            );
            (client != server && pg_sys::SetClientEncoding(server) == 0)
                .then_some(ServerEncoding { client })
        }
    }
}

impl Drop for ServerEncoding {
    fn drop(&mut self) {
        // SAFETY: was set before, so its conversions are at hand.
        unsafe { pg_sys::SetClientEncoding(self.client) };
    }
}

impl Column {
    /// A column of a type, with the functions of that.
    pub fn of_type(
        attribute: usize,
        name: &str,
        kind: ColumnKind,
        type_oid: pg_sys::Oid,
        type_modifier: i32,
    ) -> Self {
        let (mut length, mut by_value) = (0i16, false);
        let (mut function, mut parameter, mut is_varlena) =
            (pg_sys::InvalidOid, pg_sys::InvalidOid, false);
        let (mut send, mut receive) = (
            Box::<pg_sys::FmgrInfo>::default(),
            Box::<pg_sys::FmgrInfo>::default(),
        );
        // SAFETY: catalog look-ups into locals; the function infos live in
        // TopMemoryContext, as long as the process and so longer than the cache.
        unsafe {
            pg_sys::get_typlenbyval(type_oid, &mut length, &mut by_value);
            pg_sys::getTypeBinaryOutputInfo(type_oid, &mut function, &mut is_varlena);
            pg_sys::fmgr_info_cxt(function, &mut *send, pg_sys::TopMemoryContext);
            pg_sys::getTypeBinaryInputInfo(type_oid, &mut function, &mut parameter);
            pg_sys::fmgr_info_cxt(function, &mut *receive, pg_sys::TopMemoryContext);
        }
        Self {
            attribute,
            kind,
            name: name.to_owned(),
            type_oid,
            type_modifier,
            by_value,
            length,
            send,
            receive,
            receive_parameter: parameter,
        }
    }

    /// The value's binary form, as the type's send function gives it: it does
    /// not depend on any setting.
    pub fn send(&self, value: pg_sys::Datum) -> Vec<u8> {
        let _encoding = ServerEncoding::begin();
        // SAFETY: the function belongs to the type of the datum; it returns a
        // bytea in the current memory context.
        unsafe {
            let info = std::ptr::from_ref(&*self.send).cast_mut();
            let bytes = pg_sys::SendFunctionCall(info, value);
            varlena::varlena_to_byte_slice(bytes.cast()).to_vec()
        }
    }

    /// The value from its binary form; the type's receive function checks it
    /// and raises an error for bad bytes.
    pub fn receive(&self, bytes: &[u8]) -> pg_sys::Datum {
        let length = i32::try_from(bytes.len()).or_corrupt("a value's length");
        let _encoding = ServerEncoding::begin();
        // SAFETY: the buffer is a copy in palloc'd memory with the zero byte
        // behind it that receive functions may rely on.
        unsafe {
            let mut buffer = pg_sys::StringInfoData::default();
            pg_sys::initStringInfo(&mut buffer);
            pg_sys::appendBinaryStringInfo(&mut buffer, bytes.as_ptr().cast(), length);
            let info = std::ptr::from_ref(&*self.receive).cast_mut();
            pg_sys::ReceiveFunctionCall(
                info,
                &mut buffer,
                self.receive_parameter,
                self.type_modifier,
            )
        }
    }

    /// The value from its text form; the type's input function checks it and
    /// raises an error for bad text.
    pub fn input(&self, text: &str) -> pg_sys::Datum {
        let text = CString::new(text).or_corrupt("a value's text");
        // SAFETY: the function found belongs to the type.
        unsafe {
            let (mut function, mut parameter) = (pg_sys::InvalidOid, pg_sys::InvalidOid);
            pg_sys::getTypeInputInfo(self.type_oid, &mut function, &mut parameter);
            pg_sys::OidInputFunctionCall(
                function,
                text.as_ptr().cast_mut(),
                parameter,
                self.type_modifier,
            )
        }
    }

    /// The value's text form.
    pub fn output(&self, value: pg_sys::Datum) -> String {
        // SAFETY: the function found belongs to the type; it returns a
        // palloc'd string.
        unsafe {
            let (mut function, mut is_varlena) = (pg_sys::InvalidOid, false);
            pg_sys::getTypeOutputInfo(self.type_oid, &mut function, &mut is_varlena);
            let text = pg_sys::OidOutputFunctionCall(function, value);
            CStr::from_ptr(text).to_string_lossy().into_owned()
        }
    }

    /// Whether two values have one and the same image.
    pub fn same(&self, a: pg_sys::Datum, b: pg_sys::Datum) -> bool {
        // SAFETY: both are values of this column's type.
        unsafe {
            pg_sys::ffi::pg_guard_ffi_boundary(|| {
                datum_image_eq(a, b, self.by_value, i32::from(self.length))
            })
        }
    }
}

/// The bytes of a varlena value, detoasted.
pub fn bytes_of(value: pg_sys::Datum) -> Vec<u8> {
    // SAFETY: called for columns of varlena types only.
    unsafe { Vec::<u8>::from_datum(value, false) }.or_corrupt("a column value")
}
