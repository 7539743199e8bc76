//! The plain value of any type as JSON, and back.

use super::comparison::equality_functions;
use super::json::{Json, Jsonb, compare};
use super::value::Value;
use super::{counters, maps, refusal, registers, sets};
use crdt::{AnyState, ColumnKind, Crdt, json};
use pgrx::prelude::*;
use std::cmp::Ordering;

/// What a value shows, as JSON text; None for a register that was never set
/// and a time before all others.
fn to_json(value: &Value) -> Option<String> {
    match value.kind() {
        ColumnKind::GCounter | ColumnKind::PnCounter | ColumnKind::BCounter => {
            counters::value_of(value).map(|it| shown(it).to_string())
        }
        ColumnKind::LwwRegister | ColumnKind::MvRegister => registers::json_of(value),
        ColumnKind::OrSet | ColumnKind::AwSet | ColumnKind::LwwSet => {
            let elements = sets::elements(value);
            let elements: Vec<String> = elements.iter().map(|it| json::quote(it)).collect();
            Some(format!("[{}]", elements.join(",")))
        }
        ColumnKind::LwwMap | ColumnKind::OrMap | ColumnKind::OrCart => Some(maps::json_of(value)),
        ColumnKind::Rga | ColumnKind::VectorClock => Some(shown(value.decode().plain_text())),
        ColumnKind::RgaText => Some(json::quote(&shown(value.decode().plain_text()))),
        ColumnKind::HlcRegister => value
            .decode_as::<crdt::HlcRegister>()
            .get()
            .map(|tick| json::quote(&tick.to_string())),
        ColumnKind::Plain => None,
    }
}

/// What a state shows, as JSON text; None as above.
pub fn json_of_state(state: &AnyState) -> Option<String> {
    to_json(&Value::of_state(state))
}

fn shown<T>(value: Result<T, crdt::CrdtError>) -> T {
    value.unwrap_or_else(|error| refusal::change(&error))
}

/// For row_to_json, to_jsonb and the like, which ask for a cast to json.
#[pg_extern(sql = false)]
fn crdt_to_json(value: Value) -> Option<Json> {
    to_json(&value).map(Json)
}

#[pg_extern(sql = false)]
fn crdt_to_jsonb(value: Value) -> Option<Jsonb> {
    to_json(&value).map(Jsonb)
}

/// None for a value that shows nothing.
fn with_jsonb(value: &Value, json: &Jsonb) -> Option<Ordering> {
    to_json(value).map(|shown| compare(&shown, json))
}

fn jsonb_with(json: &Jsonb, value: &Value) -> Option<Ordering> {
    with_jsonb(value, json).map(Ordering::reverse)
}

equality_functions!(Value, Jsonb, with_jsonb, crdt_eq_jsonb, crdt_ne_jsonb);
equality_functions!(Jsonb, Value, jsonb_with, crdt_jsonb_eq, crdt_jsonb_ne);

/// The plain literal of a type whose literals are JSON.
pub fn of_json<T: Crdt>(json: &Jsonb) -> T {
    // What looks like a state stands in a string then, where it is no state.
    let text = json.0.replace('@', "\\u0040");
    T::from_text(&text).unwrap_or_else(|error| refusal::text(&error, "'{\"a\": 1}' or '[1, 2]'"))
}
