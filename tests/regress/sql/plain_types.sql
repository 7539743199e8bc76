-- What plain types do is not changed by the extension: a literal or a parameter
-- beside a plain column must not become ambiguous because a CRDT type has an
-- operator of that name, or every query that worked before CREATE EXTENSION breaks.
CREATE TABLE plain (
    texts text[] DEFAULT '{a,b}', varchars varchar[] DEFAULT '{a,b}', numbers int[] DEFAULT '{1,2}', json jsonb DEFAULT '{"a": 1}', big bigint DEFAULT 5, small smallint DEFAULT 5,
    exact numeric DEFAULT 5, t text DEFAULT 'abc', v varchar DEFAULT 'abc', c char(3) DEFAULT 'abc', n name DEFAULT 'abc', at timestamptz DEFAULT '2026-01-01 00:00:00+00', yes boolean DEFAULT true, bytes bytea DEFAULT '\x01'
);
INSERT INTO plain DEFAULT VALUES;

-- Arrays.
SELECT texts @> '{a}' AS result FROM plain;
SELECT texts <@ '{a,b}' AS result FROM plain;
SELECT texts = '{a,b}' AS result FROM plain;
SELECT texts <> '{a,b}' AS result FROM plain;
SELECT '{a,b}' = texts AS result FROM plain;
SELECT '{a,b}' <> texts AS result FROM plain;
SELECT '{a,b}' @> texts AS result FROM plain;
SELECT '{a}' <@ texts AS result FROM plain;
SELECT texts @> NULL IS NULL AS result FROM plain;
SELECT texts = NULL IS NULL AS result FROM plain;
SELECT texts IN ('{a,b}') AS result FROM plain;
SELECT texts && '{a}' AS result FROM plain;
SELECT texts > '{a}' AS result FROM plain;
SELECT texts || '{c}' AS result FROM plain;
SELECT texts @> texts AS result FROM plain;
SELECT texts = ARRAY['a', 'b'] AS result FROM plain;
SELECT varchars = '{a,b}' AS result FROM plain;
SELECT varchars @> '{a}' AS result FROM plain;
SELECT 'a' = ANY (texts) AS result FROM plain;
SELECT numbers @> '{1}' AS result FROM plain;
SELECT numbers = '{1,2}' AS result FROM plain;

-- JSON.
SELECT json @> '{"a": 1}' AS result FROM plain;
SELECT json <@ '{"a": 1}' AS result FROM plain;
SELECT json = '{"a": 1}' AS result FROM plain;
SELECT json <> '{}' AS result FROM plain;
SELECT '{"a": 1}' = json AS result FROM plain;
SELECT '{}' <@ json AS result FROM plain;
SELECT '{"a": 1}' @> json AS result FROM plain;
SELECT json @> NULL IS NULL AS result FROM plain;
SELECT json ? 'a' AS result FROM plain;
SELECT json ?| '{a}' AS result FROM plain;
SELECT json ?& '{a}' AS result FROM plain;
SELECT json -> 'a' AS result FROM plain;
SELECT json ->> 'a' AS result FROM plain;
SELECT json #> '{a}' AS result FROM plain;
SELECT json #>> '{a}' AS result FROM plain;
SELECT json - 'a' AS result FROM plain;
SELECT json - '{a}'::text[] AS result FROM plain;
SELECT json || '{"b": 2}' AS result FROM plain;
SELECT '{"b": 2}' || json AS result FROM plain;

-- Numbers.
SELECT big + '1' AS result FROM plain;
SELECT '1' + big AS result FROM plain;
SELECT big - '1' AS result FROM plain;
SELECT big = '5' AS result FROM plain;
SELECT '5' = big AS result FROM plain;
SELECT big <> '5' AS result FROM plain;
SELECT big > '4' AS result FROM plain;
SELECT '4' < big AS result FROM plain;
SELECT big IN ('5') AS result FROM plain;
SELECT big BETWEEN '1' AND '9' AS result FROM plain;
SELECT big + NULL IS NULL AS result FROM plain;
SELECT small + '1' AS result FROM plain;
SELECT small > '4' AS result FROM plain;
SELECT exact + '1' AS result FROM plain;
SELECT exact = '5' AS result FROM plain;
SELECT big = small AS result FROM plain;
SELECT big + exact AS result FROM plain;
SELECT - big AS result FROM plain;
SELECT @ big AS result FROM plain;

-- Text.
SELECT t = 'abc' AS result FROM plain;
SELECT 'abc' = t AS result FROM plain;
SELECT t <> 'x' AS result FROM plain;
SELECT t > 'x' AS result FROM plain;
SELECT t IN ('abc') AS result FROM plain;
SELECT t || 'x' AS result FROM plain;
SELECT 'x' || t AS result FROM plain;
SELECT t || big AS result FROM plain;
SELECT t || json AS result FROM plain;
SELECT t = v AS result FROM plain;
SELECT t = c AS result FROM plain;
SELECT t = n AS result FROM plain;
SELECT v = 'abc' AS result FROM plain;
SELECT v || 'x' AS result FROM plain;
SELECT c = 'abc' AS result FROM plain;
SELECT n = 'abc' AS result FROM plain;
SELECT t LIKE 'a%' AS result FROM plain;
SELECT t ~ 'a' AS result FROM plain;
SELECT 'a' || 'b' AS result FROM plain;
SELECT 'a' = 'a' AS result FROM plain;
SELECT 'a' < 'b' AS result FROM plain;
SELECT lower('A') AS result FROM plain;
SELECT length('abc') AS result FROM plain;
SELECT substr('abc', 2) AS result FROM plain;
SELECT coalesce('a', 'b') AS result FROM plain;
SELECT greatest('a', 'b') AS result FROM plain;
SELECT replace('abc', 'a', 'b') AS result FROM plain;
SELECT left('abc', 1) AS result FROM plain;
SELECT position('b' in 'abc') AS result FROM plain;

-- Others.
SELECT at > '2025-01-01' AS result FROM plain;
SELECT at = '2026-01-01 00:00:00+00' AS result FROM plain;
SELECT '2026-01-01 00:00:00+00' = at AS result FROM plain;
SELECT at IN ('2026-01-01 00:00:00+00') AS result FROM plain;
SELECT yes = 't' AS result FROM plain;
SELECT bytes = '\x01' AS result FROM plain;
SELECT bytes || '\x02' AS result FROM plain;

-- Aggregates.
SELECT max(texts) AS result FROM plain;
SELECT max(t) AS result FROM plain;
SELECT min(big) AS result FROM plain;
SELECT sum(big) AS result FROM plain;
SELECT avg(small) AS result FROM plain;
SELECT max('a') AS result FROM plain;
SELECT min('b') AS result FROM plain;
SELECT max(NULL) AS result FROM plain;
SELECT string_agg(t, ',') AS result FROM plain;
SELECT array_agg(t) AS result FROM plain;
SELECT count('x') AS result FROM plain;

-- Parameters of no type.
PREPARE by_parameters AS SELECT big FROM plain WHERE texts @> $1 AND texts = $2 AND json @> $3 AND big >= $4 AND t = $5;
EXECUTE by_parameters('{a}', '{a,b}', '{"a": 1}', 5, 'abc');
DEALLOCATE by_parameters;

DROP TABLE plain;
