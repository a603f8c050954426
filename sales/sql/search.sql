-- name: spread_word
-- Of a word of the query ($1): indexed words that hold it inside, or share its stem ($2 at most).
SELECT word FROM (
    (SELECT word FROM word WHERE stem = stem_of($1) ORDER BY word LIMIT $2)
    UNION
    (SELECT word FROM word_part
     WHERE $3 AND part >= $1::text COLLATE "C" AND part < ($1 || chr(1114111)) COLLATE "C"
     ORDER BY part, word LIMIT $2)
) AS spread
ORDER BY word;

-- name: words_of_query
-- The words of a query ($1) as the index has them.
SELECT words_of($1);

-- name: list_wordings
-- The texts that match ($1 tsquery), $2 of them at most.
SELECT id FROM wording WHERE words @@ $1::text::tsquery LIMIT $2;

-- name: count_wordings
-- About how many texts there are.
SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'wording'::regclass;

-- name: coming_of_wordings
-- Ids of what is to come after $2, soonest first, of few texts ($1): each gives its first $4.
-- $3 kind or NULL.
SELECT found.id
FROM unnest($1::integer[]) AS wanted (wording_id)
CROSS JOIN LATERAL (
    SELECT id, starts_at FROM event
    WHERE event.wording_id = wanted.wording_id AND starts_at >= $2
      AND state IN ('on_sale', 'closed') AND ($3::text IS NULL OR kind = $3)
    ORDER BY starts_at, id LIMIT $4
) AS found
ORDER BY found.starts_at, found.id
LIMIT $4;

-- name: past_of_wordings
-- Ids of what was before $2, newest first, of few texts ($1): each gives its last $4.
SELECT found.id
FROM unnest($1::integer[]) AS wanted (wording_id)
CROSS JOIN LATERAL (
    SELECT id, starts_at FROM event
    WHERE event.wording_id = wanted.wording_id AND starts_at < $2
      AND state <> 'cancelled' AND ($3::text IS NULL OR kind = $3)
    ORDER BY starts_at DESC, id DESC LIMIT $4
) AS found
ORDER BY found.starts_at DESC, found.id DESC
LIMIT $4;

-- name: coming_by_time
-- The same where many texts match, or all ($1 NULL): events in the order of time until there are $4.
-- What is to come is little beside what is over, and may hold no match at all: the matching texts
-- are gathered once (inside an OR, so that the planner makes a hash of them) and all of it is read.
SELECT id FROM event
WHERE starts_at >= $2 AND state IN ('on_sale', 'closed') AND ($3::text IS NULL OR kind = $3)
  AND ($1::text IS NULL
       OR wording_id IN (SELECT id FROM wording WHERE words @@ $1::text::tsquery))
ORDER BY starts_at, id
LIMIT $4;

-- name: past_by_time
-- What was before $2, newest first: each event is asked whether its text matches, until there are
-- $4. Where many texts match, that is soon.
SELECT id FROM event
WHERE starts_at < $2 AND state <> 'cancelled' AND ($3::text IS NULL OR kind = $3)
  AND ($1::text IS NULL OR (SELECT words @@ $1::text::tsquery FROM wording
                            WHERE wording.id = event.wording_id))
ORDER BY starts_at DESC, id DESC
LIMIT $4;

-- name: coming_of_day
-- As above, of one day ($5): there are a few thousand at most.
SELECT id FROM event
WHERE local_day = $5 AND starts_at >= $2 AND state IN ('on_sale', 'closed')
  AND ($3::text IS NULL OR kind = $3)
  AND ($1::text IS NULL OR (SELECT words @@ $1::text::tsquery FROM wording
                            WHERE wording.id = event.wording_id))
ORDER BY starts_at, id
LIMIT $4;

-- name: past_of_day
-- As above, backwards from $2.
SELECT id FROM event
WHERE local_day = $5 AND starts_at < $2 AND state <> 'cancelled'
  AND ($3::text IS NULL OR kind = $3)
  AND ($1::text IS NULL OR (SELECT words @@ $1::text::tsquery FROM wording
                            WHERE wording.id = event.wording_id))
ORDER BY starts_at DESC, id DESC
LIMIT $4;

-- name: read_cards
-- The cards of these events ($1), in their order.
SELECT event.id, title, kind, hall, city, starts_at, guarded, look,
       (SELECT min(price) FROM zone WHERE zone.event_id = event.id) AS price_from
FROM unnest($1::bigint[]) WITH ORDINALITY AS wanted (id, place) JOIN event USING (id)
ORDER BY place;
