//! Row versions as they lie in a heap, read by the places of their columns: for tables whose shape
//! was checked (see `shape`) and whose rows have no null column.

use pgrx::{pg_sys, varlena};

/// A row version that a scan lends.
pub struct Tuple {
    /// Where its columns begin.
    columns: *const u8,
    /// The transaction that wrote it.
    pub stamp: u32,
    /// Whether a column is null, and others not where they are read.
    pub has_nulls: bool,
}

impl Tuple {
    /// # Safety
    /// The heap tuple must be of a table whose shape was checked, and outlive the result.
    pub unsafe fn of(tuple: pg_sys::HeapTuple) -> Tuple {
        // SAFETY: by the contract.
        unsafe {
            let header = (*tuple).t_data;
            Tuple {
                columns: header.cast::<u8>().add(usize::from((*header).t_hoff)),
                stamp: (*header).t_choice.t_heap.t_xmin.into_inner(),
                has_nulls: u32::from((*header).t_infomask) & pg_sys::HEAP_HASNULL != 0,
            }
        }
    }

    fn bytes<const N: usize>(&self, at: usize) -> [u8; N] {
        // SAFETY: made of a row whose shape was checked; the columns read are of fixed length, and
        // aligned as their types are.
        unsafe { self.columns.add(at).cast::<[u8; N]>().read_unaligned() }
    }

    pub fn int2(&self, at: usize) -> i16 {
        i16::from_ne_bytes(self.bytes(at))
    }

    pub fn int4(&self, at: usize) -> i32 {
        i32::from_ne_bytes(self.bytes(at))
    }

    pub fn int8(&self, at: usize) -> i64 {
        i64::from_ne_bytes(self.bytes(at))
    }

    pub fn oid(&self, at: usize) -> u32 {
        u32::from_ne_bytes(self.bytes(at))
    }

    /// The number of the value at this place, if it is kept apart: a pointer to it begins with 1
    /// and the tag of its kind, and holds its size, how it is compressed, and its number.
    pub fn long_value(&self, at: usize) -> Option<u32> {
        let tag = pg_sys::vartag_external::VARTAG_ONDISK as u8;
        (self.bytes(at) == [1, tag]).then(|| self.oid(at + 2 + 8))
    }

    /// The values of the bytea columns from this place on, as they are stored.
    ///
    /// # Safety
    /// The table must have as many of them there.
    pub unsafe fn varlenas<const N: usize>(&self, mut at: usize) -> [*mut pg_sys::varlena; N] {
        // SAFETY: by the contract. A value with a short header is not aligned, and its header is
        // never zero as padding is.
        [(); N].map(|()| unsafe {
            if *self.columns.add(at) == 0 {
                at = at.next_multiple_of(align_of::<i32>());
            }
            let value = self.columns.add(at).cast::<pg_sys::varlena>().cast_mut();
            at += varlena::varsize_any(value);
            value
        })
    }
}
