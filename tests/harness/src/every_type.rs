//! A table with a column of each CRDT type, for tests that go over all of them.

/// Creates and tracks the table `every`, with rows 1 to 5.
pub const EVERY_TYPE: &str = r#"
    CREATE TABLE every (
        id bigint PRIMARY KEY,
        g g_counter NOT NULL DEFAULT '0', pn pn_counter NOT NULL DEFAULT '0', b b_counter NOT NULL DEFAULT '10 floor 3',
        lww lww_register DEFAULT '"new"', mv mv_register DEFAULT '"new"',
        os or_set NOT NULL DEFAULT '{}', aw aw_set NOT NULL DEFAULT '{}', ls lww_set NOT NULL DEFAULT '{}',
        lm lww_map NOT NULL DEFAULT '{}', om or_map NOT NULL DEFAULT '{}', cart or_cart NOT NULL DEFAULT '{}',
        list rga NOT NULL DEFAULT '["start"]', body rga_text NOT NULL DEFAULT 'start',
        vector vector_clock NOT NULL DEFAULT '{}', time hlc NOT NULL DEFAULT '-infinity'
    );
    CREATE INDEX ON every USING hash (body);
    CREATE INDEX ON every USING hash (aw);
    CREATE INDEX ON every USING gin (os);
    CREATE INDEX ON every USING gin (om);
    INSERT INTO every SELECT generate_series(1, 5);
    SELECT crdt_track('every');"#;

/// The bytes of all states in the table `every`, as one digest.
pub const EVERY_STATE: &str = "SELECT md5(string_agg(concat_ws(' ', id, g_counter_send(g), pn_counter_send(pn), \
    b_counter_send(b), lww_register_send(lww), mv_register_send(mv), or_set_send(os), aw_set_send(aw), lww_set_send(ls), \
    lww_map_send(lm), or_map_send(om), or_cart_send(cart), rga_send(list), rga_text_send(body), \
    vector_clock_send(vector), hlc_send(time)), ' ' ORDER BY id)) FROM every";

/// Statements that write each column of one row by the operators of its type. `row` is
/// its id, `word` an SQL text that tells one write from another, `amount` a whole number.
/// The counters gain `amount`, also in the cart and within the map, but `b` gains 1.
pub fn write_every_type(row: &str, word: &str, amount: &str) -> String {
    WRITES
        .replace("{row}", row)
        .replace("{word}", word)
        .replace("{amount}", amount)
}

const WRITES: &str = r#"
    UPDATE every SET g = g + {amount}::bigint, pn = pn + {amount}::bigint, b = b + 2::bigint WHERE id = {row};
    UPDATE every SET b = b - 1::bigint WHERE id = {row};
    UPDATE every SET b = crdt_transfer(b, 'a', 1) WHERE id = {row};
    UPDATE every SET lww = crdt_set(lww, {word}), mv = crdt_set(mv, {word}), vector = crdt_tick(vector), time = crdt_clock()
     WHERE id = {row};
    UPDATE every SET os = os + {word}, aw = aw + {word}, ls = crdt_put(ls, {word}, to_jsonb({amount}::int)) WHERE id = {row};
    UPDATE every SET os = os - (os::text[])[1], aw = aw - (aw::text[])[1], ls = ls - (ls::text[])[1]
     WHERE id = {row} AND crdt_cardinality(os) > 3 AND crdt_cardinality(aw) > 3 AND crdt_cardinality(ls) > 3;
    UPDATE every SET lm = crdt_put(lm, {word}, to_jsonb({amount}::int)), cart = crdt_increment(cart, {word}, {amount}),
           om = crdt_add(crdt_increment(om, '{sold,all}'::text[], {amount}), 'words', {word})
     WHERE id = {row};
    UPDATE every SET lm = lm - {word}, om = crdt_remove(om, 'words', {word}) WHERE id = {row} AND crdt_cardinality(lm) > 3;
    UPDATE every SET body = crdt_insert(body, crdt_length(body) / 2, {word}), list = crdt_insert(list, crdt_length(list) / 2, to_jsonb({word}))
     WHERE id = {row};
    UPDATE every SET body = crdt_delete(body, 1, crdt_length(body) / 2), list = crdt_delete(list, 1, crdt_length(list) / 2)
     WHERE id = {row} AND crdt_length(body) > 40;
"#;
