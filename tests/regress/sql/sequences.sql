-- rga_text and rga: texts and lists. Positions count from 0, in characters. Four
-- states of each: …one by replica 01…; …two by 02… and …three by 03… on top of it,
-- without knowing of each other; …both is what those two become.
\set text_one '\'The cat sat. @v1:AQAMVGhlIGNhdCBzYXQuAQEBAQEBAQEBAQEBAQEBAQEAC4CAhKCfyrDGAQIBCgEEAwwAAAAAC-5-GZE\''
\set text_two '\'The black cat sat. @v1:AQASVGhlIGJsYWNrIGNhdCBzYXQuAgEBAQEBAQEBAQEBAQEBAQEAC4CAhKCfyrDGAQIBCgICAgICAgICAgICAgICAgIABYCApL-fyrDGAQIBBAIIAwQAAAgOAAAAAANOAAUNAAQIB1q-TtA\''
\set text_three '\'The cat sat down. @v1:AQARVGhlIGNhdCBzYXQgZG93bi4CAQEBAQEBAQEBAQEBAQEBAQALgICEoJ_KsMYBAgEKAwMDAwMDAwMDAwMDAwMDAwAEgIDE3p_KsMYBAgEDAggDCwAACAYAAAAACk4ABCkABBYA6nfypQ\''
\set text_both '\'The black cat sat down. @v1:AQAXVGhlIGJsYWNrIGNhdCBzYXQgZG93bi4DAQEBAQEBAQEBAQEBAQEBAQALgICEoJ_KsMYBAgEKAgICAgICAgICAgICAgICAgAFgICkv5_KsMYBAgEEAwMDAwMDAwMDAwMDAwMDAwAEgIDE3p_KsMYBAgEDAwwDBAAACA0AAAkGAAAAAANOAAUNAAQIBo4BAAQpAAQWAEFAVRg\''
\set list_one '\'["a",{"k":1}] @v1:AQAMAyJhIgd7ImsiOjF9AQEBAQEBAQEBAQEBAQEBAQEAAYCAhKCfyrDGAQIBAAEEAwIKAAAAAYRbHE4\''
\set list_two '\'["a",2] @v1:AQAGAyJhIgEyAgEBAQEBAQEBAQEBAQEBAQEAAYCAhKCfyrDGAQIBAAICAgICAgICAgICAgICAgIAAICApL-fyrDGAQEAAggDAQMACAEBAQAAAE4AAAEABQIAWfpOWQ\''
\set list_three '\'["a",{"k":1},"z"] @v1:AQAQAyJhIgd7ImsiOjF9AyJ6IgIBAQEBAQEBAQEBAQEBAQEBAAGAgISgn8qwxgECAQADAwMDAwMDAwMDAwMDAwMDAACAgMTen8qwxgEBAAIIAwIKAAUBAwAAAAFGAAAFAOkn7ww\''
\set list_both '\'["a",2,"z"] @v1:AQAKAyJhIgEyAyJ6IgMBAQEBAQEBAQEBAQEBAQEBAAGAgISgn8qwxgECAQACAgICAgICAgICAgICAgICAACAgKS_n8qwxgEBAAMDAwMDAwMDAwMDAwMDAwMAAICAxN6fyrDGAQEAAwwDAQMACAEBAQYBAwAAAABOAAABAAUCAIYBAAAFANiIiQ8\''

-- Any text is a literal, also with the marker unless a state follows it.
SELECT ''::rga_text, ' a '::rga_text, E'q"\\\n{x}\t'::rga_text, '👋🏽 é z͑ ﷽'::rga_text, 'null'::rga_text, crdt_length('👋🏽é'::rga_text) AS characters, length('👋🏽é'::rga_text) AS "of text";
SELECT 'see @v1:x'::rga_text;
SELECT 'see @v1:x'::text::rga_text::text, rga_text_in(rga_text_out('see @v1:x'::text::rga_text))::text, rga_text_send(rga_text_in(rga_text_out(crdt_append(:text_one::rga_text, E' @v1:\n')))) = rga_text_send(crdt_append(:text_one::rga_text, E' @v1:\n')) AS lossless;
SELECT '[]'::rga, ' [ 1, "a", null, {"b": [], "a": 2.50}, [true] ] '::rga, '["👋🏽", "e\u0301", "q\"\\", "x @v1:y"]'::jsonb::rga;
SELECT rga_in(rga_out('["x @v1:y"]'::jsonb::rga)) = '["x @v1:y"]'::jsonb AS lossless;
SELECT '{"a": 1}'::rga;
SELECT '[1'::rga;
SELECT '[1] x'::rga;
SELECT 'a'::rga;
SELECT '["\u0000"]'::rga;
SELECT '{}'::jsonb::rga;
SELECT (repeat('[', 600) || repeat(']', 600))::rga;
SELECT (repeat('[', 600) || repeat(']', 600))::jsonb::rga;
\set VERBOSITY sqlstate
SELECT '{"a": 1}'::rga;
SELECT '["\u0000"]'::rga;
SELECT (repeat('[', 600) || repeat(']', 600))::rga;
\set VERBOSITY default

-- Text: reading, and what works on text.
SELECT crdt_value(:text_both::rga_text), :text_both::rga_text::text, :text_both::rga_text::varchar, :text_one::rga_text::json, :text_one::rga_text::jsonb, crdt_length(:text_both::rga_text), crdt_length(''::rga_text);
SELECT lower(:text_one::rga_text), :text_one::rga_text || '!' AS joined, :text_one::rga_text LIKE '%cat%' AS "like", :text_one::rga_text ~ '^The' AS matches, substr(:text_one::rga_text, 5, 3), coalesce(:text_one::rga_text, 'x'::text) AS "coalesce";
SELECT :text_one::rga_text = 'The cat sat.' AS literal, :text_one::rga_text = 'The cat sat.'::text AS text, 'The cat sat.'::text = :text_one::rga_text AS text_first, :text_one::rga_text <> 'x'::text AS differs, 'x'::text <> :text_one::rga_text AS differs_first, 'x'::varchar = 'x'::rga_text AS "varchar",
       'é'::rga_text = U&'e\0301'::text AS not_composed, 'a'::rga_text < 'b' AS lt, 'b'::rga_text > 'a' AS gt, 'Z'::rga_text < 'a' AS bytewise;
SELECT 'x'::varchar::rga_text, 'x'::char(3)::rga_text || '|' AS padded, 5::text::rga_text;
-- Writing.
SELECT crdt_insert('abc'::rga_text, 0, 'x'), crdt_insert('abc'::rga_text, 3, 'x'), crdt_insert('👋🏽é'::rga_text, 1, '-'), crdt_insert('abc'::rga_text, 1, ''), crdt_append('abc'::rga_text, 'x'), crdt_append(''::rga_text, 'x'),
       crdt_delete('abc'::rga_text, 0, 1), crdt_delete('abc'::rga_text, 1, 2), crdt_delete('abc'::rga_text, 3, 0), crdt_delete('abc'::rga_text, 0, 0);
SELECT crdt_insert(:text_one::rga_text, 4, 'fat ')::text, crdt_append(:text_one::rga_text, ' It purred.')::text, crdt_delete(:text_one::rga_text, 3, 4)::text, crdt_delete(crdt_insert(:text_one::rga_text, 4, 'fat '), 0, 4)::text;
SELECT crdt_edit('abc'::rga_text, '[[0, 1, "X"], [1, 0, "-"], [4, 0, "!"]]'), crdt_edit(:text_one::rga_text, '[[0, 3, "A"], [2, 3, "dog"], [8, 0, ""]]')::text, crdt_edit('abc'::rga_text, '[]'), crdt_edit('abc'::rga_text, NULL) IS NULL AS nothing;
SELECT crdt_state(crdt_insert(:text_one::rga_text, 4, 'fat ')) -> 'change' AS change, crdt_state(crdt_delete(:text_one::rga_text, 3, 4)) -> 'change' AS change;
SELECT crdt_insert('abc'::rga_text, 4, 'x');
SELECT crdt_insert('abc'::rga_text, -1, 'x');
SELECT crdt_insert(:text_one::rga_text, 13, 'x');
SELECT crdt_delete('abc'::rga_text, 1, 3);
SELECT crdt_delete('abc'::rga_text, -1, 1);
SELECT crdt_delete('abc'::rga_text, 1, -1);
SELECT crdt_delete(:text_one::rga_text, 12, 1);
SELECT crdt_delete('abc'::rga_text, 2147483647, 2147483647);
SELECT crdt_edit('abc'::rga_text, '[[0, 4, ""]]');
\set VERBOSITY sqlstate
SELECT crdt_insert('abc'::rga_text, 4, 'x');
SELECT crdt_insert('abc'::rga_text, -1, 'x');
SELECT crdt_delete('abc'::rga_text, 1, 3);
SELECT crdt_edit('abc'::rga_text, '[[0, 1]]');
SELECT crdt_edit('abc'::rga_text, '{"at": 0}');
SELECT crdt_edit('abc'::rga_text, '[[-1, 0, "x"]]');
SELECT crdt_edit('abc'::rga_text, '[[1.5, 0, "x"]]');
\set VERBOSITY default

-- Lists: reading.
SELECT crdt_value(:list_both::rga), :list_both::rga::jsonb, :list_both::rga::json, crdt_length(:list_both::rga), crdt_length('[]'::rga);
SELECT crdt_elements(:list_one::rga);
SELECT crdt_elements('[]'::rga), crdt_elements(NULL::rga);
SELECT :list_one::rga -> 0 AS first, :list_one::rga -> 1 AS object, :list_one::rga ->> 0 AS text, :list_one::rga -> -1 AS last, :list_one::rga -> 2 IS NULL AS past_the_end, :list_one::rga ->> 2 IS NULL AS past_the_end, :list_one::rga -> NULL IS NULL AS nothing;
SELECT :list_one::rga = '["a", {"k": 1}]' AS literal, :list_one::rga = '["a", {"k": 1}]'::jsonb AS json, '["a"]'::jsonb = :list_one::rga AS json_first, :list_one::rga <> '["a"]'::jsonb AS differs, '["a"]'::jsonb <> :list_one::rga AS differs_first, '[1]'::rga < '[2]' AS lt;
-- Writing.
SELECT crdt_insert('[1, 2]'::rga, 0, '"x"'), crdt_insert('[1, 2]'::rga, 2, 'null'), crdt_insert('[1, 2]'::rga, 1, '[3]'), crdt_append('[1, 2]'::rga, '{"a": 1}'), crdt_append('[]'::rga, '1'), '[1]'::rga || '[2, 3]' AS concat, '[1]'::rga || '[]'::jsonb AS none,
       crdt_delete('[1, 2, 3]'::rga, 0, 1), crdt_delete('[1, 2, 3]'::rga, 1, 2), crdt_delete('[1, 2, 3]'::rga, 3, 0), crdt_append('[1]'::rga, NULL) IS NULL AS nothing;
SELECT crdt_insert(:list_one::rga, 1, '2')::jsonb, crdt_append(:list_one::rga, '2')::jsonb, (:list_one::rga || '[2, 3]')::jsonb AS concat, crdt_delete(:list_one::rga, 0, 1)::jsonb, crdt_state(crdt_insert(:list_one::rga, 1, '2')) -> 'change' AS change;
SELECT crdt_insert('[1, 2]'::rga, 3, '1');
SELECT crdt_insert('[1, 2]'::rga, -1, '1');
SELECT crdt_delete('[1, 2]'::rga, 1, 2);
SELECT crdt_delete(:list_one::rga, 2, 1);
SELECT '[1]'::rga || '{"a": 1}'::jsonb;
SELECT '[1]'::rga || '2'::jsonb;
SELECT crdt_append('[]'::rga, (repeat('[', 600) || repeat(']', 600))::jsonb);
\set VERBOSITY sqlstate
SELECT crdt_insert('[1, 2]'::rga, 3, '1');
SELECT crdt_insert('[1, 2]'::rga, -1, '1');
SELECT '[1]'::rga || '2'::jsonb;
SELECT crdt_append('[]'::rga, (repeat('[', 600) || repeat(']', 600))::jsonb);
\set VERBOSITY default

-- What two sessions make of one value, stays whole: nobody's words are interleaved.
SELECT length(crdt_merge(crdt_settle(crdt_insert(:text_one::rga_text, 4, 'black ')), crdt_settle(crdt_insert(:text_one::rga_text, 4, 'white ')))) AS length,
       crdt_merge(crdt_settle(crdt_insert(:text_one::rga_text, 4, 'black ')), crdt_settle(crdt_insert(:text_one::rga_text, 4, 'white '))) IN ('The black white cat sat.', 'The white black cat sat.') AS whole,
       crdt_merge(crdt_settle(crdt_delete(:text_one::rga_text, 3, 4)), crdt_settle(crdt_insert(:text_one::rga_text, 5, 'h')))::text AS within_deleted;
SELECT crdt_merge(crdt_settle(crdt_append(:list_one::rga, '2')), crdt_settle(crdt_delete(:list_one::rga, 0, 1)))::jsonb;

-- Too large to be read back is refused as it is made.
SELECT repeat('x', 63000000)::rga_text;
SELECT jsonb_build_array(repeat('x', 63000000))::rga;

-- Long ones, moved out of their rows.
CREATE TABLE large (id int PRIMARY KEY, body rga_text, list rga);
INSERT INTO large SELECT 1, repeat('0123456789é', 20000), jsonb_agg(n) FROM generate_series(1, 20000) AS n;
UPDATE large SET body = crdt_settle(body), list = crdt_settle(list);
UPDATE large SET body = crdt_settle(crdt_insert(crdt_delete(body, 100000, 11), 5, 'HERE')), list = crdt_settle(crdt_append(crdt_delete(list, 0, 10), '"end"'));
SELECT crdt_length(body), substr(body, 1, 20), crdt_length(list), list -> 0 AS first, list ->> -1 AS last, body = body::text AS same, rga_text_in(rga_text_out(body)) = body AS lossless, rga_in(rga_out(list)) = list AS lossless,
       octet_length(rga_text_send(body)) < 243000 AS small FROM large;
DROP TABLE large;

-- Tracked rows: by position, by whole value, and from a stale copy.
CREATE TABLE document (id integer PRIMARY KEY, body rga_text NOT NULL DEFAULT '', list rga NOT NULL DEFAULT '[]');
SELECT crdt_track('document');
INSERT INTO document VALUES (1, 'The cat sat.', '["a", "b"]'), (2, DEFAULT, DEFAULT), (3, :text_both, :list_both), (4, 'typed'::text, '[1]'::jsonb);
SELECT id, body::text, list::jsonb FROM document ORDER BY id;
UPDATE document SET body = crdt_insert(body, 4, 'fat '), list = crdt_insert(list, 1, '"x"') WHERE id = 1 RETURNING body::text, list::jsonb;
UPDATE document SET body = 'The fat dog sat.', list = '["x", "b", "y"]' WHERE id = 1 RETURNING body::text, list::jsonb;
UPDATE document SET body = replace(body, 'dog', 'cat'), list = list || '[1, 2]' WHERE id = 1 RETURNING body::text, list::jsonb;
UPDATE document SET body = crdt_edit(body, '[[0, 3, "A"], [0, 0, ">"]]'), list = crdt_delete(list, 0, 2) WHERE id = 1 RETURNING body::text, list::jsonb;
UPDATE document SET body = !body, list = !list WHERE id = 4 RETURNING body::text, list::jsonb;
UPDATE document SET body = crdt_delete(body, 0, 100) WHERE id = 1;
UPDATE document SET body = crdt_append(body, repeat('x', 17000000)) WHERE id = 1;
DO $$
DECLARE
    seen document;
BEGIN
    SELECT * INTO seen FROM document WHERE id = 3;
    UPDATE document SET body = crdt_append(body, ' Meanwhile.'), list = crdt_append(list, '"meanwhile"') WHERE id = 3;
    UPDATE document SET body = crdt_insert(seen.body, 0, 'Late: '), list = crdt_insert(seen.list, 0, '"late"') WHERE id = 3;
    SELECT * INTO seen FROM document WHERE id = 3;
    UPDATE document SET body = 'Late: The black cat sat down. Meanwhile!' WHERE id = 3;
    UPDATE document SET body = crdt_delete(seen.body, 0, 6) WHERE id = 3;
END
$$;
SELECT body::text, list::jsonb FROM document WHERE id = 3;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT verify_chain();
COMMIT;
SELECT crdt_untrack('document');
DROP TABLE document;
