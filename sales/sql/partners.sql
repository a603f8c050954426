-- name: read_partner_hall
-- The partner of an event ($1), and whether it was found sick after $2; no row for an event that is
-- not connected to one.
SELECT event_id, base_url, coalesce(sick_since > $2, false) AS is_sick
FROM partner_hall WHERE event_id = $1;

-- name: list_partner_places
-- Which places of the partner's the seats ($2) of an event ($1) are.
SELECT seat, place_id FROM partner_place WHERE event_id = $1 AND seat = ANY ($2);

-- name: list_partner_orders
-- The living orders at the partner for the seats ($2) of an event ($1).
SELECT id, event_id, seat, place_id, provider_order, order_id, state, version, call, calling_until,
       asked_at, selected_at, settled_at, updated_at, last_error
FROM partner_order
WHERE event_id = $1 AND seat = ANY ($2) AND state NOT IN ('refused', 'cancelled');

-- name: read_partner_order
-- One order at a partner ($1).
SELECT id, event_id, seat, place_id, provider_order, order_id, state, version, call, calling_until,
       asked_at, selected_at, settled_at, updated_at, last_error
FROM partner_order WHERE id = $1;

-- name: list_given_back
-- Those of the seats ($2) of an event ($1) that the partner was asked to take back after $3: it may
-- not offer them again yet.
SELECT DISTINCT seat FROM partner_order
WHERE event_id = $1 AND seat = ANY ($2) AND state = 'cancelled' AND updated_at > $3;

-- name: open_partner_order
-- Before a place is selected: an order ($4 at the partner) for seat $2, place $3 of event $1, to
-- serve order $5; called until $7, at $6, and looked after from then on in lane $8. Returns it; no
-- row when the seat has a living one.
WITH opened AS (
    INSERT INTO partner_order (event_id, seat, place_id, provider_order, order_id, state, call,
                               calling_until, asked_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, 'asked', 'select', $7, $6, $6)
    ON CONFLICT (event_id, seat) WHERE state NOT IN ('refused', 'cancelled') DO NOTHING
    RETURNING *
), staged AS (
    INSERT INTO notice (kind, subject_id, due_at, created_at, lane)
    SELECT 'partner.tend', id, $7, $6, $8 FROM opened
), audited AS (
    INSERT INTO audit (at, actor, action, subject, detail)
    SELECT $6, 'order:' || order_id, 'partner.ask', 'partner:' || id,
           jsonb_build_object('event', event_id, 'seat', seat, 'provider_order', provider_order)
    FROM opened
)
SELECT id, event_id, seat, place_id, provider_order, order_id, state, version, call, calling_until,
       asked_at, selected_at, settled_at, updated_at, last_error
FROM opened;

-- name: call_partner_order
-- Written before a call: order $1 of version $2 is being asked to $3 until $4; at $5. A call that is
-- in doubt is not written over. Returns it; no row when somebody was faster.
UPDATE partner_order SET call = $3, calling_until = $4, version = version + 1, updated_at = $5
WHERE id = $1 AND version = $2 AND call IS NULL
RETURNING id, event_id, seat, place_id, provider_order, order_id, state, version, call,
          calling_until, asked_at, selected_at, settled_at, updated_at, last_error;

-- name: doubt_partner_order
-- The call of order $1 of version $2 had no answer that says anything: it is looked into from $3
-- on; at $4, because of $5. Returns it; no row when somebody was faster.
UPDATE partner_order SET calling_until = $3, version = version + 1, updated_at = $4, last_error = $5
WHERE id = $1 AND version = $2 AND call IS NOT NULL
RETURNING id, event_id, seat, place_id, provider_order, order_id, state, version, call,
          calling_until, asked_at, selected_at, settled_at, updated_at, last_error;

-- name: learn_partner_order
-- What became of a call, or was seen: order $1 of version $2 goes from state $3 to $4 at $5, with
-- its place selected $6 and settled $7 where that was not known yet. No call is under way any more.
-- Returns it; no row when somebody was faster.
WITH moved AS (
    UPDATE partner_order
    SET state = $4, call = NULL, calling_until = NULL, version = version + 1, updated_at = $5,
        selected_at = CASE WHEN $6 THEN coalesce(selected_at, $5) ELSE selected_at END,
        settled_at = CASE WHEN $7 THEN coalesce(settled_at, $5) ELSE settled_at END
    WHERE id = $1 AND version = $2 AND state = $3
    RETURNING *
), audited AS (
    INSERT INTO audit (at, actor, action, subject, detail)
    SELECT $5, 'partner', 'partner.' || $4::text, 'partner:' || id,
           jsonb_build_object('order', order_id, 'seat', seat)
    FROM moved WHERE $4 <> $3
)
SELECT id, event_id, seat, place_id, provider_order, order_id, state, version, call, calling_until,
       asked_at, selected_at, settled_at, updated_at, last_error
FROM moved;

-- name: hand_partner_orders
-- The orders at the partner for the seats ($2) of event $1 that are ours and in no doubt serve order
-- $3 from now ($4) on, unless PostgreSQL gives a seat to another. The version rises although nothing
-- else may have changed: who was just giving the place back must look again. Returns the seats.
WITH handed AS (
    UPDATE partner_order SET order_id = $3, version = version + 1, updated_at = $4
    WHERE event_id = $1 AND seat = ANY ($2) AND call IS NULL
      AND state IN ('held', 'submitted', 'confirmed')
      AND NOT EXISTS (
          SELECT FROM seat_claim
          WHERE seat_claim.event_id = $1 AND seat_claim.seat = partner_order.seat
            AND seat_claim.order_id <> $3)
    RETURNING seat
)
SELECT seat FROM handed;

-- name: hint_partner_orders
-- Somebody should look soon ($4) at the orders at a partner that serve order $1, those on their way:
-- staged at $2 in lane $3, unless one about the same waits already.
WITH staged AS (
    INSERT INTO notice (kind, subject_id, payload, due_at, created_at, lane)
    SELECT 'partner.tend', id, '{"hint": true}', $4, $2, $3
    FROM partner_order
    WHERE order_id = $1 AND state IN ('held', 'submitted')
      AND NOT EXISTS (
          SELECT FROM notice
          WHERE notice.subject_id = partner_order.id AND notice.kind = 'partner.tend'
            AND notice.due_at BETWEEN $2 AND $4 AND parked_at IS NULL)
    RETURNING id
)
SELECT pg_notify('biletter_notice', '') FROM staged LIMIT 1;

-- name: read_partner_wish
-- What the order at a partner ($1) is needed for: the order of ours that it serves (no state after
-- a reset, nor once the seats are not the partner's any more), and whether that one has claimed its
-- seat.
SELECT CASE WHEN event.ownership = 'partner' THEN orders.state END AS state, orders.expires_at,
       EXISTS (
           SELECT FROM seat_claim AS claim
           WHERE claim.event_id = partner_order.event_id AND claim.seat = partner_order.seat
             AND claim.order_id = partner_order.order_id
       ) AS is_claimed
FROM partner_order JOIN event ON event.id = partner_order.event_id
LEFT JOIN orders ON orders.id = partner_order.order_id
WHERE partner_order.id = $1;

-- name: sweep_partner_orders
-- Stages a look, due at $1 in lane $2, at up to $3 orders at partners that are on their way and that
-- nobody is going to look at. Returns them.
WITH forgotten AS (
    SELECT id, event_id, seat, order_id, state FROM partner_order
    WHERE state NOT IN ('refused', 'cancelled', 'confirmed') AND NOT EXISTS (
        SELECT FROM notice WHERE subject_id = partner_order.id AND kind = 'partner.tend')
    ORDER BY id
    LIMIT $3
), staged AS (
    INSERT INTO notice (kind, subject_id, due_at, created_at, lane)
    SELECT 'partner.tend', id, $1, $1, $2 FROM forgotten
)
SELECT id, event_id, seat, order_id, state FROM forgotten;

-- name: connect_partner_hall
-- Event $1 is sold for the partner at address $2 (NULL: the installation's own) from $3 on. No row
-- while it has orders at a partner of another address.
WITH moved AS (
    INSERT INTO partner_hall (event_id, base_url, connected_at) VALUES ($1, $2, $3)
    ON CONFLICT (event_id) DO UPDATE
    SET base_url = excluded.base_url, connected_at = excluded.connected_at, sick_since = NULL
    WHERE partner_hall.base_url IS NOT DISTINCT FROM excluded.base_url OR NOT EXISTS (
        SELECT FROM partner_order
        WHERE partner_order.event_id = $1 AND state NOT IN ('refused', 'cancelled'))
    RETURNING event_id
), owned AS (
    UPDATE event SET ownership = 'partner' FROM moved WHERE event.id = moved.event_id
)
SELECT event_id FROM moved;

-- name: forget_partner_places
-- The places of an event ($1), before they are written anew.
DELETE FROM partner_place WHERE event_id = $1;

-- name: write_partner_places
-- The places of event $1, as arrays: $2 seats, $3 places, $4 rows and $5 numbers as its partner
-- counts them.
INSERT INTO partner_place (event_id, seat, place_id, row_no, seat_no)
SELECT $1, place.* FROM unnest($2::int[], $3::uuid[], $4::int[], $5::int[]) AS place;

-- name: mark_sick_halls
-- Halls are sick from $1 on whose partner took an order of ours before $2 and has not put its place
-- into it, nor any place into a later one. One that was found sick before $3 has been tried again
-- since. Returns those found now.
UPDATE partner_hall SET sick_since = $1
WHERE EXISTS (
    SELECT FROM partner_order AS late
    WHERE late.event_id = partner_hall.event_id AND late.state = 'held' AND late.settled_at IS NULL
      AND late.selected_at < $2
      AND (sick_since IS NULL OR (sick_since < $3 AND late.selected_at > sick_since))
      AND NOT EXISTS (
          SELECT FROM partner_order AS later
          WHERE later.event_id = late.event_id AND later.settled_at IS NOT NULL
            AND later.selected_at > late.selected_at))
RETURNING event_id;

-- name: mark_well_halls
-- Halls are well again whose partner has put a place into an order since. Returns them.
UPDATE partner_hall SET sick_since = NULL
WHERE sick_since IS NOT NULL AND EXISTS (
    SELECT FROM partner_order
    WHERE partner_order.event_id = partner_hall.event_id AND settled_at > sick_since)
RETURNING event_id;

-- name: list_sick_halls
-- The halls whose partner is sick, and since when.
SELECT event_id, base_url, sick_since FROM partner_hall WHERE sick_since IS NOT NULL;

-- name: list_partner_orders_after
-- The next $3 orders at partners after $1 that are to be compared: all that live, and those that
-- ended after $2.
SELECT id, event_id, seat, place_id, provider_order, order_id, state, version, call, calling_until,
       asked_at, selected_at, settled_at, updated_at, last_error
FROM partner_order
WHERE id > $1 AND (state NOT IN ('refused', 'cancelled') OR updated_at > $2)
ORDER BY id
LIMIT $3;

-- name: list_sold_unowned
-- Seats of partners' events that we sold without owning them there, at most $1.
SELECT claim.event_id, claim.order_id, array_agg(claim.seat ORDER BY claim.seat) AS seats
FROM partner_hall JOIN event ON event.id = partner_hall.event_id AND event.ownership = 'partner'
JOIN seat_claim AS claim ON claim.event_id = partner_hall.event_id AND claim.sold
JOIN orders ON orders.id = claim.order_id AND orders.paid_at > partner_hall.connected_at
LEFT JOIN partner_order ON partner_order.event_id = claim.event_id
    AND partner_order.seat = claim.seat AND partner_order.state = 'confirmed'
WHERE partner_order.id IS NULL
GROUP BY claim.event_id, claim.order_id
LIMIT $1;

-- name: list_kept_seats
-- The seats of an event ($1) that the partner keeps for us, or took back after $2 and may not show
-- as free yet.
SELECT DISTINCT seat FROM partner_order
WHERE event_id = $1 AND (state NOT IN ('refused', 'cancelled')
                         OR (state = 'cancelled' AND updated_at > $2));

-- name: list_all_places
-- Which seat of an event ($1) each place of its partner is.
SELECT seat, place_id FROM partner_place WHERE event_id = $1;

-- name: forget_partner_orders
-- Drops at most $2 orders at partners that ended before $1: the audit keeps what became of them.
DELETE FROM partner_order WHERE id = ANY (ARRAY(
    SELECT id FROM partner_order
    WHERE state IN ('refused', 'cancelled') AND updated_at < $1
    LIMIT $2
));
