-- name: read_star_start
-- When the star concert ($1) starts; no row when the demonstration isn't there.
SELECT starts_at FROM event WHERE id = $1;

-- name: put_event
-- Write an event of the programme. A reseed moves its dates and texts; what staff may have
-- changed (state, limits of an order, ownership) and all orders stay.
INSERT INTO event (id, title, description, kind, hall, city, starts_at, local_day, guarded,
                   person_limit, look, ownership)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (id) DO UPDATE SET
    title = excluded.title, description = excluded.description, kind = excluded.kind,
    hall = excluded.hall, city = excluded.city, starts_at = excluded.starts_at,
    local_day = excluded.local_day, guarded = excluded.guarded,
    person_limit = excluded.person_limit, look = excluded.look;

-- name: put_zone
-- Write a zone. Its seats are never changed once it is there: somebody may sit in them. Nor is one
-- laid behind a zone that was once planned smaller.
INSERT INTO zone (event_id, zone_no, name, price, first_row, row_sizes, first_seat, seat_count)
SELECT $1, $2, $3, $4, $5, $6, $7, $8
WHERE $7 = (SELECT coalesce(sum(seat_count), 0)::integer FROM zone WHERE event_id = $1 AND zone_no < $2)
ON CONFLICT (event_id, zone_no) DO UPDATE SET name = excluded.name, price = excluded.price;

-- name: put_allotment
-- What of zone $2 of event $1 was given to us: by channel $3 so many places ($4), or the seats $5; until
-- $6. A reseed opens it again with its later deadline; what staff have changed otherwise stays.
INSERT INTO allotment (event_id, zone_no, channel, places, seats, deadline, given_at, updated_at)
SELECT event_id, zone_no, $3, $4, $5, $6, now(), now() FROM zone
WHERE event_id = $1 AND zone_no = $2
ON CONFLICT (event_id, zone_no) DO UPDATE SET
    deadline = excluded.deadline, state = 'open', version = allotment.version + 1,
    updated_at = now()
WHERE allotment.deadline < excluded.deadline;

-- name: forget_reports
-- An allotment that was opened again is not over.
DELETE FROM allotment_report AS report USING allotment
WHERE allotment.event_id = report.event_id AND allotment.zone_no = report.zone_no
  AND allotment.state = 'open';

-- name: put_archived
-- Write a finished event, unless an import has put another under its number.
INSERT INTO event (id, title, description, kind, starts_at, local_day, state)
VALUES ($1, $2, $3, $4, $5, $6, 'archived')
ON CONFLICT (id) DO NOTHING;

-- name: set_person_limit
-- Places one person may hold and own ($2, NULL: any number) of an event ($1).
UPDATE event SET person_limit = $2 WHERE id = $1 AND person_limit IS DISTINCT FROM $2;

-- name: own_star
-- The seats of event $1 are of owner $2 (own, partner) from now on. `may` is false, and nothing has
-- changed, where the owner is another now and somebody has seats; `has_changed`: it was another.
WITH now_owned AS (
    SELECT id, ownership = $2 OR NOT EXISTS (
               SELECT FROM seat_claim WHERE event_id = $1) AS may
    FROM event WHERE id = $1
), changed AS (
    UPDATE event SET ownership = $2 FROM now_owned
    WHERE event.id = now_owned.id AND may AND event.ownership <> $2
    RETURNING event.id
)
SELECT may, EXISTS (SELECT FROM changed) AS has_changed FROM now_owned;

-- name: list_partner_events
-- Events on sale whose seats partners own, and how many of their seats have a place there; `place`
-- is one of those.
SELECT event.id, coalesce(count(place_id), 0)::integer AS places, min(place_id::text) AS place,
       (SELECT sum(seat_count) FROM zone WHERE event_id = event.id)::integer AS seats
FROM event LEFT JOIN partner_place ON partner_place.event_id = event.id
WHERE event.ownership = 'partner' AND event.state = 'on_sale' AND event.id = ANY ($1)
GROUP BY event.id ORDER BY event.id;

-- name: read_rows
-- The rows of an event's ($1) hall in seat order: number and size.
SELECT first_row + (at - 1)::integer AS row_no, size FROM zone, unnest(row_sizes) WITH ORDINALITY
AS sized (size, at) WHERE event_id = $1 ORDER BY zone_no, at;
