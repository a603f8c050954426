-- name: list_events_after
-- Events not over at $3, beyond the id $1, at most $2.
SELECT id FROM event
WHERE id > $1 AND starts_at > $3 AND state IN ('on_sale', 'closed')
ORDER BY id
LIMIT $2;

-- name: list_events_with_items
-- Events that have an open item of kinds $1.
SELECT DISTINCT split_part(subject, ':', 2)::bigint AS id FROM review_item
WHERE state = 'open' AND kind = ANY ($1::text[]) AND subject LIKE 'event:%';

-- name: fingerprint_claims
-- Of each of the events ($1) that has any: what changes when its claims or tickets do.
SELECT event_id, sum(claims) AS claims, sum(sold) AS sold, sum(marks) AS marks,
       sum(tickets) AS tickets
FROM (
    SELECT event_id, count(*) AS claims, count(*) FILTER (WHERE sold) AS sold,
           sum(hashint8(order_id)::bigint * (seat + 1)) AS marks, 0 AS tickets
    FROM seat_claim WHERE event_id = ANY ($1::bigint[])
    GROUP BY event_id
    UNION ALL
    SELECT event_id, 0, 0, 0, count(*)
    FROM ticket WHERE event_id = ANY ($1::bigint[]) AND state <> 'returned'
    GROUP BY event_id
) AS part
GROUP BY event_id;

-- name: list_claims
-- All claims of an event ($1) as arrays: seats, their orders, and whether they are sold.
SELECT coalesce(array_agg(seat), '{}') AS seats, coalesce(array_agg(order_id), '{}') AS orders,
       coalesce(array_agg(sold), '{}') AS sold
FROM seat_claim WHERE event_id = $1;

-- name: list_claims_of_seats
-- Who has claimed these seats ($2) of an event ($1).
SELECT seat, order_id, account_id, sold FROM seat_claim
WHERE event_id = $1 AND seat = ANY ($2::int[]);

-- name: read_order_states
-- The states of orders ($1).
SELECT id, state FROM orders WHERE id = ANY ($1::bigint[]);

-- name: list_orders_in_flight
-- Which of the orders ($1) a notice about seats is still going to be told of.
SELECT DISTINCT subject_id FROM notice
WHERE subject_id = ANY ($1::bigint[]) AND lane = $2 AND parked_at IS NULL;

-- name: compare_tickets
-- Where sold claims and tickets of an event ($1) disagree, at most $2 seats: the order of each side.
SELECT coalesce(claim.seat, ticket.seat) AS seat, claim.order_id AS claimed_by,
       ticket.order_id AS ticket_of
FROM (SELECT seat, order_id FROM seat_claim WHERE event_id = $1 AND sold) AS claim
FULL JOIN (
    SELECT seat, order_id FROM ticket WHERE event_id = $1 AND state <> 'returned'
) AS ticket USING (seat)
WHERE claim.order_id IS DISTINCT FROM ticket.order_id
ORDER BY 1
LIMIT $2;
