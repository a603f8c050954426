-- name: read_event
-- One event, whatever its state; no row when there is none.
SELECT id, title, description, kind, hall, city, provider, starts_at, local_day, ownership, state,
       guarded, person_limit, order_limit, hold_seconds, refund_hours, look, moved_from
FROM event
WHERE id = $1;

-- name: read_zones
-- The zones of an event ($1) in seat order.
SELECT zone_no, name, price, first_row, row_sizes, first_seat, seat_count
FROM zone
WHERE event_id = $1
ORDER BY zone_no;

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
