-- name: read_event
-- One event, whatever its state; no row when there is none.
SELECT id, title, description, kind, hall, city, provider, starts_at, local_day, ownership, state,
       guarded, person_limit, order_limit, hold_seconds, refund_hours, look
FROM event
WHERE id = $1;

-- name: read_zones
-- The zones of an event ($1) in seat order.
SELECT zone_no, name, price, first_row, row_sizes, first_seat, seat_count
FROM zone
WHERE event_id = $1
ORDER BY zone_no;

-- name: search_events
-- A page of cards: what is still to come soonest first, then what is over newest first.
-- $1 patterns, each must occur in title or description; $2 day or NULL; $3 kind or NULL;
-- $4 now; $5 whether the past and the archive belong to it; $6 offset; $7 page size.
-- Each half is cut to what the page can need, so nothing is sorted or counted beyond it.
WITH matching AS (
    (SELECT id, starts_at, false AS is_over
     FROM event
     WHERE starts_at >= $4 AND state IN ('on_sale', 'closed')
       AND ($2::date IS NULL OR local_day = $2)
       AND ($3::text IS NULL OR kind = $3)
       AND translate(title || ' ' || description, 'ёЁ', 'еЕ') ILIKE ALL ($1::text[])
     ORDER BY starts_at, id
     LIMIT $6::bigint + $7::bigint)
    UNION ALL
    (SELECT id, starts_at, true
     FROM event
     WHERE $5 AND (starts_at < $4 OR state = 'archived') AND state <> 'cancelled'
       AND ($2::date IS NULL OR local_day = $2)
       AND ($3::text IS NULL OR kind = $3)
       AND translate(title || ' ' || description, 'ёЁ', 'еЕ') ILIKE ALL ($1::text[])
     ORDER BY starts_at DESC, id DESC
     LIMIT $6::bigint + $7::bigint)
), page AS (
    SELECT id, row_number() OVER (
        ORDER BY is_over, CASE WHEN is_over THEN -extract(epoch FROM starts_at)
                               ELSE extract(epoch FROM starts_at) END,
                 CASE WHEN is_over THEN -id ELSE id END) AS place
    FROM matching
    ORDER BY place
    OFFSET $6 LIMIT $7
)
SELECT event.id, title, kind, hall, city, starts_at, guarded, look,
       (SELECT min(price) FROM zone WHERE zone.event_id = event.id) AS price_from
FROM page JOIN event USING (id)
ORDER BY place;

-- name: list_hot
-- Cards of the coming events that many want ($1 now, $2 how many): guarded ones first.
SELECT id, title, kind, hall, city, starts_at, guarded, look,
       (SELECT min(price) FROM zone WHERE zone.event_id = event.id) AS price_from
FROM event
WHERE starts_at >= $1 AND state = 'on_sale' AND (guarded OR look @> '{"hot": true}')
ORDER BY guarded DESC, starts_at, id
LIMIT $2;

-- name: list_kinds
-- The kinds of coming events ($1 now) with how many there are of each, the most frequent first.
SELECT kind, count(*) AS events
FROM event
WHERE starts_at >= $1 AND state = 'on_sale'
GROUP BY kind
ORDER BY events DESC, kind
LIMIT $2;

-- name: list_guarded
-- Ids of the events on sale with a waiting room in front of them ($1 how many at most).
SELECT id
FROM event
WHERE guarded AND state = 'on_sale'
ORDER BY id
LIMIT $1;
