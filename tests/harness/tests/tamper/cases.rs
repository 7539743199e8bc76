//! The alterations that plain SQL makes, and how each must be called.

/// What is altered, how it must be called, and the alteration. FLIP changes a bit of
/// the last byte; AT_OP, AT_SEGMENT and AT_BLOCK choose one in the middle of the
/// founder's history ({o}), AT_OP the last op ({op}) of that segment and block.
pub const CASES: &[(&str, &str, &str)] = &[
    (
        "a payload",
        "payload_altered",
        "UPDATE crdt.op SET payload = FLIP(payload) AT_OP",
    ),
    (
        "a payload cut short",
        "payload_altered",
        "UPDATE crdt.op SET payload = substr(payload, 1, length(payload) - 1) AT_OP",
    ),
    (
        "a salt",
        "payload_altered",
        "UPDATE crdt.op SET salt = FLIP(salt) AT_OP",
    ),
    (
        "the time of an op",
        "payload_altered",
        "UPDATE crdt.op SET hlc = hlc + 1 AT_OP",
    ),
    (
        "the kind of an op",
        "op_altered",
        "UPDATE crdt.op SET kind = 2 AT_OP",
    ),
    (
        "the hash of an op",
        "op_altered",
        "UPDATE crdt.op SET hash = FLIP(hash) AT_OP",
    ),
    ("an op taken out", "op_missing", "DELETE FROM crdt.op AT_OP"),
    (
        "an op put in",
        "op_extra",
        "CREATE TEMP TABLE copy AS SELECT * FROM crdt.op AT_OP; UPDATE copy SET seq = {last} + 1; INSERT INTO crdt.op TABLE copy",
    ),
    (
        "an op put in twice",
        "op_extra",
        "ALTER TABLE crdt.op DROP CONSTRAINT op_pkey; INSERT INTO crdt.op SELECT * FROM crdt.op AT_OP",
    ),
    (
        "an op put in before the first",
        "op_extra",
        "CREATE TEMP TABLE copy AS SELECT * FROM crdt.op AT_OP; UPDATE copy SET seq = -5; INSERT INTO crdt.op TABLE copy",
    ),
    (
        "an op of nobody",
        "op_extra",
        "CREATE TEMP TABLE copy AS SELECT * FROM crdt.op AT_OP; UPDATE copy SET origin = 99, seq = 1; INSERT INTO crdt.op TABLE copy",
    ),
    (
        "two ops exchanged",
        "op_reordered",
        "UPDATE crdt.op SET seq = -seq WHERE origin = {o} AND seq IN ({op}, {op} - 1); UPDATE crdt.op SET seq = 2 * {op} - 1 + seq WHERE origin = {o} AND seq < 0",
    ),
    (
        "a segment's signature",
        "segment_signature_wrong",
        "UPDATE crdt.segment SET signature = FLIP(signature) AT_SEGMENT",
    ),
    (
        "a segment taken out",
        "segment_missing",
        "DELETE FROM crdt.segment AT_SEGMENT",
    ),
    (
        "a segment put in",
        "segment_extra",
        "ALTER TABLE crdt.segment DROP CONSTRAINT segment_pkey; INSERT INTO crdt.segment SELECT * FROM crdt.segment AT_SEGMENT",
    ),
    (
        "a segment put in with another end",
        "segment_signature_wrong",
        "CREATE TEMP TABLE copy AS SELECT * FROM crdt.segment AT_SEGMENT; UPDATE copy SET last_seq = last_seq - 1; INSERT INTO crdt.segment TABLE copy",
    ),
    (
        "a header",
        "header_altered",
        "UPDATE crdt.block SET header = FLIP(header) AT_BLOCK",
    ),
    (
        "a certificate",
        "certificate_wrong",
        "UPDATE crdt.block SET certificate = FLIP(certificate) AT_BLOCK",
    ),
    (
        "a cut",
        "cut_altered",
        "UPDATE crdt.block SET cut = FLIP(cut) AT_BLOCK",
    ),
    (
        "a block taken out",
        "block_missing",
        "DELETE FROM crdt.block AT_BLOCK",
    ),
    (
        "a block put in twice",
        "block_extra",
        "ALTER TABLE crdt.block DROP CONSTRAINT block_pkey; INSERT INTO crdt.block SELECT * FROM crdt.block AT_BLOCK",
    ),
    (
        "a block put in before the first",
        "block_extra",
        "INSERT INTO crdt.block SELECT 0, header, cut, certificate FROM crdt.block AT_BLOCK",
    ),
    (
        "where a block's leaves begin",
        "range_altered",
        "UPDATE crdt.block_range SET first_leaf = first_leaf + 1 WHERE height = {h} AND origin = {o}",
    ),
    (
        "ops put into a block that is not there",
        "range_altered",
        "INSERT INTO crdt.block_range VALUES ({o}, 2000000, 1000000, 1000000, 1)",
    ),
    (
        "a tile",
        "tile_altered",
        "UPDATE crdt.tile SET hashes = FLIP(hashes) WHERE level = 0 AND index = 0",
    ),
    (
        "a tile taken out",
        "tile_altered",
        "DELETE FROM crdt.tile WHERE level = 0 AND index = 0",
    ),
    (
        "the version vector",
        "vector_altered",
        "UPDATE crdt.position SET head = FLIP(head) WHERE origin = {o}",
    ),
    (
        "a member's record",
        "membership_altered",
        "UPDATE crdt.node SET record = FLIP(record) WHERE id <> {o}",
    ),
    (
        "the genesis",
        "genesis_altered",
        "UPDATE crdt.chain SET genesis = FLIP(genesis)",
    ),
    (
        "the version vector as a whole",
        "vector_altered",
        "DELETE FROM crdt.position",
    ),
    (
        "a tile beyond the log",
        "tile_altered",
        "INSERT INTO crdt.tile SELECT 0, 100000, hashes FROM crdt.tile WHERE level = 0 LIMIT 1",
    ),
    (
        "a member's name",
        "node_altered",
        "UPDATE crdt.node SET name = name || 'x' WHERE id = {o}",
    ),
    (
        "a member's URL",
        "node_altered",
        "UPDATE crdt.node SET url = 'https://elsewhere:1' WHERE id <> {o}",
    ),
    (
        "a member's role",
        "node_altered",
        "UPDATE crdt.node SET role = 'validator' WHERE role = 'member'",
    ),
    (
        "a member said to have left",
        "node_altered",
        "UPDATE crdt.node SET left_after = 1 WHERE id <> {o}",
    ),
    (
        "a table's definition",
        "schema_altered",
        "UPDATE crdt.schema SET definition = FLIP(definition)",
    ),
    (
        "the name of a schema's table",
        "schema_altered",
        "UPDATE crdt.schema SET table_name = 'another'",
    ),
    (
        "a table forgotten",
        "tracked_altered",
        "DELETE FROM crdt.tracked",
    ),
    (
        "a table said to be tracked",
        "tracked_altered",
        "CREATE TABLE other (id int); INSERT INTO crdt.tracked SELECT 'other', min(schema_id) FROM crdt.tracked",
    ),
    (
        "a tracked table with another schema",
        "tracked_altered",
        "UPDATE crdt.tracked SET schema_id = 999",
    ),
    (
        "an accusation that nothing proves",
        "evidence_altered",
        "INSERT INTO crdt.evidence (node, kind, detail, proof) SELECT node_id, 'segments', 'two histories', record FROM crdt.node WHERE id = {o}",
    ),
    (
        "an older chain that is none",
        "archive_altered",
        "INSERT INTO crdt.archive SELECT chain_id, 0, genesis FROM crdt.chain",
    ),
    (
        "what was remembered",
        "verified_altered",
        "UPDATE crdt.verified SET horizon = horizon + 1000000",
    ),
    (
        "a payload gone, its commitment in its place",
        "payload_missing",
        "UPDATE crdt.op SET salt = '', payload = sha256('\\x62637264742f706172742f763100' || salt || int8send(length(payload)) || payload) AT_OP",
    ),
];
