-- Lineage: what was derived from what. Each record is an op, so it is signed,
-- synced and proved like any other; the log itself is the graph, and two small
-- indexes find its edges.

CREATE FUNCTION crdt_record_lineage(source text, target text, transform text, detail jsonb DEFAULT '{}') RETURNS void
    STRICT VOLATILE PARALLEL UNSAFE LANGUAGE c AS 'MODULE_PATHNAME', 'crdt_record_lineage_wrapper';
COMMENT ON FUNCTION crdt_record_lineage(text, text, text, jsonb) IS 'Records that one thing was derived from another, and how';

-- A field of a lineage record: source, target, transform, detail, actor or
-- application; NULL where the payload cannot be read.
CREATE FUNCTION crdt.lineage_field(payload bytea, field text) RETURNS text
    STRICT IMMUTABLE PARALLEL SAFE LANGUAGE c AS 'MODULE_PATHNAME', 'lineage_field_wrapper';

CREATE INDEX op_lineage_source ON crdt.op (crdt.lineage_field(payload, 'source')) WHERE kind = 8;
CREATE INDEX op_lineage_target ON crdt.op (crdt.lineage_field(payload, 'target')) WHERE kind = 8;

-- All edges, those that wait to be sealed too.
CREATE VIEW crdt.lineage_edge AS
SELECT crdt.lineage_field(payload, 'source') AS source, crdt.lineage_field(payload, 'target') AS target,
       payload, hlc, origin, seq
  FROM crdt.op WHERE kind = 8
UNION ALL
SELECT crdt.lineage_field(payload, 'source'), crdt.lineage_field(payload, 'target'), payload, hlc, NULL, NULL
  FROM crdt.outbox_0 WHERE kind = 8
UNION ALL
SELECT crdt.lineage_field(payload, 'source'), crdt.lineage_field(payload, 'target'), payload, hlc, NULL, NULL
  FROM crdt.outbox_1 WHERE kind = 8;

-- The graph may have cycles: what is reached at one depth is reached once, and
-- max_depth ends the walk.
CREATE FUNCTION crdt_lineage(entity text, max_depth integer DEFAULT 16)
RETURNS TABLE (direction text, depth integer, source text, target text, transform text, detail jsonb,
               actor text, application text, at timestamptz, origin text, seq bigint, height bigint)
STRICT STABLE PARALLEL UNSAFE LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE
    upstream (entity, depth) AS (
        SELECT $1, 0
        UNION
        SELECT e.source, u.depth + 1
          FROM upstream u JOIN crdt.lineage_edge e ON e.target = u.entity
         WHERE u.depth < $2 AND e.source IS NOT NULL
    ),
    downstream (entity, depth) AS (
        SELECT $1, 0
        UNION
        SELECT e.target, d.depth + 1
          FROM downstream d JOIN crdt.lineage_edge e ON e.source = d.entity
         WHERE d.depth < $2 AND e.target IS NOT NULL
    ),
    walked (direction, depth, source, target, payload, hlc, origin, seq) AS (
        SELECT 'upstream', u.depth + 1, e.source, e.target, e.payload, e.hlc, e.origin, e.seq
          FROM (SELECT r.entity, min(r.depth) AS depth FROM upstream r GROUP BY r.entity) u
          JOIN crdt.lineage_edge e ON e.target = u.entity
         WHERE u.depth < $2
        UNION ALL
        SELECT 'downstream', d.depth + 1, e.source, e.target, e.payload, e.hlc, e.origin, e.seq
          FROM (SELECT r.entity, min(r.depth) AS depth FROM downstream r GROUP BY r.entity) d
          JOIN crdt.lineage_edge e ON e.source = d.entity
         WHERE d.depth < $2
    )
    SELECT w.direction, w.depth, w.source, w.target,
           crdt.lineage_field(w.payload, 'transform'),
           crdt.lineage_field(w.payload, 'detail')::jsonb,
           crdt.lineage_field(w.payload, 'actor'),
           crdt.lineage_field(w.payload, 'application'),
           to_timestamp((w.hlc >> 16) / 1000.0),
           n.name, w.seq, r.height
      FROM walked w
      LEFT JOIN crdt.node n ON n.id = w.origin
      LEFT JOIN LATERAL (SELECT b.height FROM crdt.block_range b
                          WHERE b.origin = w.origin AND b.last_seq >= w.seq
                          ORDER BY b.last_seq LIMIT 1) r ON true
     ORDER BY w.direction DESC, w.depth, w.hlc, w.source, w.target;
END;
COMMENT ON FUNCTION crdt_lineage(text, integer) IS 'What a thing was derived from, and what was derived from it';

REVOKE ALL ON FUNCTION crdt_record_lineage(text, text, text, jsonb), crdt_lineage(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION crdt_record_lineage(text, text, text, jsonb) TO crdt_admin;
GRANT EXECUTE ON FUNCTION crdt_lineage(text, integer) TO crdt_admin, crdt_auditor;
