//! The text form of a cart: `{"apples":3}` as of JSON, or the same and ` @v1:…` with its state.

use std::collections::BTreeMap;

use super::OrCart;
use crate::{Change, Crdt, MAX_STATE_BYTES, TextError, json, text_form};

pub(super) fn print(cart: &OrCart) -> String {
    let is_assignment = matches!(cart.map.change(), Change::Assign(_));
    let is_plain = is_assignment && cart.map.is_bare();
    text_form::print(cart, readable(cart), is_plain)
}

fn readable(cart: &OrCart) -> String {
    cart.map.readable()
}

pub(super) fn parse(text: &str) -> Result<OrCart, TextError> {
    text_form::parse(text, readable, plain)
}

fn plain(text: &str) -> Result<OrCart, TextError> {
    let syntax = |why| TextError::Syntax {
        type_name: OrCart::NAME,
        text: text_form::shorten(text),
        why,
    };
    let canonical = json::canonical(text).map_err(|fault| syntax(fault.why))?;
    let members = json::members(&canonical).ok_or_else(|| syntax("a JSON object is expected"))?;
    let mut counts = BTreeMap::new();
    for (key, value) in members {
        let Ok(count) = value.parse::<i64>() else {
            return Err(TextError::NoCount {
                key: text_form::shorten(&key),
                value: text_form::shorten(value),
            });
        };
        counts.insert(key, count);
    }
    let map = OrCart::assign(counts).map.bounded();
    let map = map.map_err(|_| TextError::TooLarge {
        type_name: OrCart::NAME,
        limit: MAX_STATE_BYTES,
    })?;
    Ok(OrCart { map })
}
