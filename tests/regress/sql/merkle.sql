-- Merkle trees of RFC 6962 over anything that a query has.

-- The eight leaves of certificate-transparency's tests; everybody computes these roots.
CREATE TABLE leaf (at int PRIMARY KEY, content bytea, hash bytea);
INSERT INTO leaf SELECT at - 1, content, merkle_leaf_hash(content)
  FROM unnest('{"", "\\x00", "\\x10", "\\x2021", "\\x3031", "\\x40414243", "\\x5051525354555657",
               "\\x606162636465666768696a6b6c6d6e6f"}'::bytea[]) WITH ORDINALITY AS u (content, at);
SELECT at, hash FROM leaf WHERE at IN (0, 7) ORDER BY at;
CREATE TABLE tree AS
    SELECT size, array_agg(hash ORDER BY at) AS leaves, merkle_root(array_agg(hash ORDER BY at)) AS root
      FROM generate_series(1, 8) AS size JOIN leaf ON at < size GROUP BY size;
SELECT size, root FROM tree ORDER BY size;
SELECT merkle_root('{}') = sha256('') AS root_of_nothing;

-- Proofs.
SELECT unnest(merkle_inclusion_proof(leaves, 5)) AS path_of_leaf_5 FROM tree WHERE size = 8;
SELECT unnest(merkle_consistency_proof(leaves, 6)) AS path_from_6 FROM tree WHERE size = 8;
SELECT unnest(merkle_range_proof(leaves, 1, 4)) AS path_of_1_to_4 FROM tree WHERE size = 7;

-- Each holds for its place, and for no other.
SELECT count(*) AS proofs, bool_and(
           merkle_verify_inclusion(l.hash, l.at, t.size, p.path, t.root)) AS all_hold,
       bool_or(merkle_verify_inclusion(l.hash, l.at + 1, t.size, p.path, t.root)
            OR merkle_verify_inclusion(l.content, l.at, t.size, p.path, t.root)
            OR merkle_verify_inclusion(l.hash, l.at, t.size, p.path || t.root, t.root)
            OR merkle_verify_inclusion(l.hash, l.at, t.size, p.path, l.hash) AND t.size > 1) AS any_other
  FROM tree t JOIN leaf l ON l.at < t.size
 CROSS JOIN LATERAL (SELECT merkle_inclusion_proof(t.leaves, l.at) AS path) AS p;
SELECT count(*) AS proofs,
       bool_and(merkle_verify_consistency(o.size, t.size, p.path, o.root, t.root)) AS all_hold,
       bool_or(merkle_verify_consistency(o.size, t.size, p.path, t.root, o.root) AND o.size < t.size
            OR merkle_verify_consistency(o.size - 1, t.size, p.path, o.root, t.root)
            OR merkle_verify_consistency(t.size + 1, t.size, p.path, o.root, t.root)) AS any_other
  FROM tree t JOIN tree o ON o.size <= t.size
 CROSS JOIN LATERAL (SELECT merkle_consistency_proof(t.leaves, o.size) AS path) AS p;
SELECT count(*) AS proofs,
       bool_and(merkle_verify_range(p.shown, f, t.size, p.path, t.root)) AS all_hold,
       bool_or(merkle_verify_range(p.shown, f + 1, t.size, p.path, t.root)
            OR merkle_verify_range(p.shown || t.root, f, t.size, p.path, t.root)
            OR merkle_verify_range(p.shown[2:], f + 1, t.size, p.path, t.root)) AS any_other
  FROM tree t CROSS JOIN generate_series(0, t.size - 1) AS f CROSS JOIN generate_series(1, t.size - f) AS n
 CROSS JOIN LATERAL (SELECT merkle_range_proof(t.leaves, f, n) AS path, t.leaves[f + 1:f + n] AS shown) AS p;

-- What can be no proof does not verify.
SELECT merkle_verify_inclusion(root, -1, 1, '{}', root) AS negative_index,
       merkle_verify_inclusion(root, 0, -1, '{}', root) AS negative_size,
       merkle_verify_inclusion('short', 0, 1, '{}', 'short') AS no_hash,
       merkle_verify_inclusion(root, 0, 2, ARRAY[NULL]::bytea[], root) AS null_in_path,
       merkle_verify_inclusion(root, 0, 2, array_fill(root, '{1000}'), root) AS too_long,
       merkle_verify_range('{}', 0, 1, '{}', root) AS no_leaves,
       merkle_verify_range('{short}', 0, 1, '{}', root) AS short_leaf,
       merkle_verify_consistency(-1, 1, '{}', root, root) AS negative_old
  FROM tree WHERE size = 1;
SELECT merkle_verify_inclusion(root, 0, 1, NULL, root) AS of_null FROM tree WHERE size = 1;

-- What can be no tree is named.
SELECT merkle_root('{short}');
SELECT merkle_root(leaves || NULL::bytea) FROM tree WHERE size = 2;
SELECT merkle_inclusion_proof(leaves, 2) FROM tree WHERE size = 2;
SELECT merkle_inclusion_proof(leaves, -1) FROM tree WHERE size = 2;
SELECT merkle_consistency_proof(leaves, 3) FROM tree WHERE size = 2;
SELECT merkle_range_proof(leaves, 1, 2) FROM tree WHERE size = 2;
SELECT merkle_range_proof(leaves, 0, 0) FROM tree WHERE size = 2;
SELECT merkle_root(array_fill(root, '{1048577}')) FROM tree WHERE size = 1;

-- Everybody may call them, in parallel workers too, and in what must be immutable.
CREATE ROLE merkle_nobody;
GRANT SELECT ON tree TO merkle_nobody;
SET ROLE merkle_nobody;
SELECT merkle_root(leaves) = root AS same FROM tree WHERE size = 8;
RESET ROLE;
SELECT p.proname, p.provolatile = 'i' AS immutable, p.proisstrict AS strict, p.proparallel = 's' AS parallel
  FROM pg_proc p WHERE p.proname LIKE 'merkle\_%' ORDER BY 1;

DROP TABLE tree, leaf;
DROP ROLE merkle_nobody;
