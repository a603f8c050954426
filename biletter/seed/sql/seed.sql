-- name: read_star_start
-- When the star concert ($1) starts; no row when the demonstration isn't there.
SELECT starts_at FROM event WHERE id = $1;

-- name: put_event
-- Write an event of the programme. A reseed moves its dates and texts; what staff may have
-- changed (state, limits of an order, ownership) and all orders stay.
INSERT INTO event (id, title, description, kind, hall, city, starts_at, local_day, guarded,
                   person_limit, look)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (id) DO UPDATE SET
    title = excluded.title, description = excluded.description, kind = excluded.kind,
    hall = excluded.hall, city = excluded.city, starts_at = excluded.starts_at,
    local_day = excluded.local_day, guarded = excluded.guarded,
    person_limit = excluded.person_limit, look = excluded.look;

-- name: put_zone
-- Write a zone. Its seats are never changed once it is there: somebody may sit in them.
INSERT INTO zone (event_id, zone_no, name, price, first_row, row_sizes, first_seat, seat_count)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (event_id, zone_no) DO UPDATE SET name = excluded.name, price = excluded.price;

-- name: put_archived
-- Write a finished event, unless an import has put another under its number.
INSERT INTO event (id, title, description, kind, starts_at, local_day, state)
VALUES ($1, $2, $3, $4, $5, $6, 'archived')
ON CONFLICT (id) DO NOTHING;

-- name: set_person_limit
-- Places one person may hold and own ($2, NULL: any number) of an event ($1).
UPDATE event SET person_limit = $2 WHERE id = $1 AND person_limit IS DISTINCT FROM $2;
