//! A row trigger's call as PostgreSQL hands it over, with the tuples deformed.

use super::table::{self, Table};
use pgrx::{IntoDatum, PgSqlErrorCode, pg_sys};
use std::rc::Rc;

/// Which statement fired the trigger.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// INSERT, and COPY.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
    /// TRUNCATE.
    Truncate,
}

/// One call of a trigger function.
pub struct Call {
    data: *mut pg_sys::TriggerData,
    /// What happened.
    pub event: Event,
    /// The tracked table it happened to.
    pub table: Rc<Table>,
}

/// A tuple taken apart; pointers stay valid for the trigger call.
pub struct Row {
    /// Values by attribute number less one.
    pub values: Vec<pg_sys::Datum>,
    /// Nulls by attribute number less one.
    pub nulls: Vec<bool>,
}

impl Row {
    /// Takes a tuple apart.
    ///
    /// # Safety
    /// The tuple must belong to the descriptor, and outlive what is read from the row.
    pub unsafe fn deform(tuple: pg_sys::HeapTuple, descriptor: pg_sys::TupleDesc) -> Row {
        // SAFETY: by the contract; the buffers have one place for each attribute.
        unsafe {
            let count = usize::try_from((*descriptor).natts).unwrap_or_default();
            let mut values = vec![pg_sys::Datum::null(); count];
            let mut nulls = vec![true; count];
            pg_sys::heap_deform_tuple(tuple, descriptor, values.as_mut_ptr(), nulls.as_mut_ptr());
            Row { values, nulls }
        }
    }

    /// The attribute's value; `None` when it is null.
    pub fn get(&self, attribute: usize) -> Option<pg_sys::Datum> {
        (!self.nulls[attribute]).then(|| self.values[attribute])
    }
}

impl Call {
    /// # Safety
    /// `fcinfo` must be what PostgreSQL passed to a V1 function.
    pub unsafe fn new(fcinfo: pg_sys::FunctionCallInfo) -> Call {
        // SAFETY: by the contract above the context is readable; the tag tells
        // whether it is TriggerData.
        unsafe {
            let data = (*fcinfo).context.cast::<pg_sys::TriggerData>();
            if data.is_null() || (*data).type_ != pg_sys::NodeTag::T_TriggerData {
                crate::error::raise(
                    PgSqlErrorCode::ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED,
                    "this function works only as a trigger of a tracked table",
                    "SELECT crdt_track('table') creates the triggers.",
                );
            }
            let event = match (*data).tg_event & pg_sys::TRIGGER_EVENT_OPMASK {
                pg_sys::TRIGGER_EVENT_INSERT => Event::Insert,
                pg_sys::TRIGGER_EVENT_UPDATE => Event::Update,
                pg_sys::TRIGGER_EVENT_DELETE => Event::Delete,
                _ => Event::Truncate,
            };
            let table = table::tracked((*(*data).tg_relation).rd_id);
            Call { data, event, table }
        }
    }

    /// Row descriptor of the table.
    pub fn descriptor(&self) -> pg_sys::TupleDesc {
        // SAFETY: the relation is open for the trigger's duration.
        unsafe { (*(*self.data).tg_relation).rd_att }
    }

    /// The tuple that the statement makes; for DELETE the one it removes.
    pub fn new_tuple(&self) -> pg_sys::HeapTuple {
        // SAFETY: PostgreSQL fills these fields for row triggers.
        unsafe {
            match self.event {
                Event::Update => (*self.data).tg_newtuple,
                _ => (*self.data).tg_trigtuple,
            }
        }
    }

    /// The tuple before the statement; for INSERT the new one.
    pub fn old_tuple(&self) -> pg_sys::HeapTuple {
        // SAFETY: as above.
        unsafe { (*self.data).tg_trigtuple }
    }

    /// Writes another value into an attribute of the row that the statement
    /// has just made, without firing triggers again.
    pub fn rewrite(&self, attribute: usize, bytes: &[u8]) {
        let tuple = self.new_tuple();
        let mut number = i32::try_from(attribute + 1).unwrap_or_default();
        let mut value = bytes.into_datum().unwrap_or(pg_sys::Datum::null());
        let mut null = false;
        // SAFETY: the row was inserted by this very statement, so it is ours
        // to update once the command counter has moved on.
        unsafe {
            pg_sys::CommandCounterIncrement();
            let changed = pg_sys::heap_modify_tuple_by_cols(
                tuple,
                self.descriptor(),
                1,
                &mut number,
                &mut value,
                &mut null,
            );
            let relation = (*self.data).tg_relation;
            let mut place = (*tuple).t_self;
            pg_sys::CatalogTupleUpdate(relation, &mut place, changed);
            pg_sys::CommandCounterIncrement();
        }
    }

    /// Takes a tuple of the table apart.
    pub fn deform(&self, tuple: pg_sys::HeapTuple) -> Row {
        // SAFETY: the tuple belongs to this descriptor's relation.
        unsafe { Row::deform(tuple, self.descriptor()) }
    }
}

/// Declares a trigger function to PostgreSQL's function manager.
macro_rules! trigger_function {
    ($symbol:ident, $finfo:ident, $body:path) => {
        const _: () = {
            $crate::function::v1_function!($symbol, $finfo, run);

            unsafe fn run(fcinfo: ::pgrx::pg_sys::FunctionCallInfo) -> ::pgrx::pg_sys::Datum {
                // SAFETY: PostgreSQL calls this as a V1 function.
                let call = unsafe { $crate::track::trigger::Call::new(fcinfo) };
                ::pgrx::pg_sys::Datum::from($body(&call))
            }
        };
    };
}
pub(crate) use trigger_function;
