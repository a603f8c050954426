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
-- Ids of what begins from $2 and before $3, soonest first, of few texts ($1): each gives its first
-- $5. $4 kind or NULL, $6 day at the hall or NULL.
SELECT found.id
FROM unnest($1::integer[]) AS wanted (wording_id)
CROSS JOIN LATERAL (
    SELECT id, starts_at FROM event
    WHERE event.wording_id = wanted.wording_id AND starts_at >= $2 AND starts_at < $3
      AND state IN ('on_sale', 'closed') AND ($4::text IS NULL OR kind = $4)
      AND ($6::date IS NULL OR local_day = $6)
    ORDER BY starts_at, id LIMIT $5
) AS found
ORDER BY found.starts_at, found.id
LIMIT $5;

-- name: past_of_wordings
-- The same backwards: newest first, of few texts ($1) that each give their last $5.
SELECT found.id
FROM unnest($1::integer[]) AS wanted (wording_id)
CROSS JOIN LATERAL (
    SELECT id, starts_at FROM event
    WHERE event.wording_id = wanted.wording_id AND starts_at >= $2 AND starts_at < $3
      AND state <> 'cancelled' AND ($4::text IS NULL OR kind = $4)
      AND ($6::date IS NULL OR local_day = $6)
    ORDER BY starts_at DESC, id DESC LIMIT $5
) AS found
ORDER BY found.starts_at DESC, found.id DESC
LIMIT $5;

-- name: coming_by_time
-- The same where many texts match, or all ($1 NULL): events in the order of time until there are $5.
-- What is to come is little beside what is over, and may hold no match at all: the matching texts
-- are gathered once (inside an OR, so that the planner makes a hash of them) and all of it is read.
SELECT id FROM event
WHERE starts_at >= $2 AND starts_at < $3
  AND state IN ('on_sale', 'closed') AND ($4::text IS NULL OR kind = $4)
  AND ($1::text IS NULL
       OR wording_id IN (SELECT id FROM wording WHERE words @@ $1::text::tsquery))
  AND ($6::date IS NULL OR local_day = $6)
ORDER BY starts_at, id
LIMIT $5;

-- name: coming_of_day
-- The same of one day: too few for a hash, each is asked whether its text matches.
SELECT id FROM event
WHERE starts_at >= $2 AND starts_at < $3
  AND state IN ('on_sale', 'closed') AND ($4::text IS NULL OR kind = $4) AND local_day = $6
  AND ($1::text IS NULL OR (SELECT words @@ $1::text::tsquery FROM wording
                            WHERE wording.id = event.wording_id))
ORDER BY starts_at, id
LIMIT $5;

-- name: past_by_time
-- Backwards, newest first: each event is asked whether its text matches, until there are $5. Where
-- many texts match, that is soon.
SELECT id FROM event
WHERE starts_at >= $2 AND starts_at < $3 AND state <> 'cancelled'
  AND ($4::text IS NULL OR kind = $4) AND ($6::date IS NULL OR local_day = $6)
  AND ($1::text IS NULL OR (SELECT words @@ $1::text::tsquery FROM wording
                            WHERE wording.id = event.wording_id))
ORDER BY starts_at DESC, id DESC
LIMIT $5;

-- name: read_cards
-- The cards of these events ($1), in their order.
SELECT event.id, title, kind, hall, city, starts_at, guarded, look,
       (SELECT min(price) FROM zone WHERE zone.event_id = event.id) AS price_from
FROM unnest($1::bigint[]) WITH ORDINALITY AS wanted (id, place) JOIN event USING (id)
ORDER BY place;
