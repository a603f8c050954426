-- name: cancel_event
-- An event ($1) that is on sale or closed is cancelled at $2. Returns its id; no row for any other.
UPDATE event SET state = 'cancelled', cancelled_at = $2
WHERE id = $1 AND state IN ('on_sale', 'closed')
RETURNING id;

-- name: list_cancelled
-- The events that were cancelled last, at most $1.
SELECT id, title, hall, starts_at, cancelled_at
FROM event WHERE cancelled_at IS NOT NULL
ORDER BY cancelled_at DESC
LIMIT $1;

-- name: list_unpaid_orders
-- Orders of an event ($1) after order $2 that are not paid and not ending yet, at most $3.
SELECT id FROM orders
WHERE event_id = $1 AND id > $2 AND state IN ('open', 'pending') AND reason IS NULL
ORDER BY id
LIMIT $3;

-- name: has_unpaid_orders
-- Whether any order of an event ($1) has no end yet.
SELECT EXISTS (SELECT FROM orders WHERE event_id = $1 AND state IN ('open', 'pending'));

-- name: list_paid_orders
-- Paid orders of an event ($1) after order $2 whose refund has not failed, at most $3.
SELECT id FROM orders
WHERE event_id = $1 AND id > $2 AND state = 'paid'
  AND NOT EXISTS (SELECT FROM cancellation_failure AS failure
                  WHERE failure.event_id = $1 AND failure.order_id = orders.id)
ORDER BY id
LIMIT $3;

-- name: note_failure
-- The money of order $2 of the cancelled event $1 could not be given back because of $3, at $4.
INSERT INTO cancellation_failure (event_id, order_id, error, at) VALUES ($1, $2, $3, $4)
ON CONFLICT (event_id, order_id) DO UPDATE SET error = excluded.error, at = excluded.at;

-- name: forget_failures
-- The failed orders of an event ($1) are tried again.
DELETE FROM cancellation_failure WHERE event_id = $1;

-- name: list_failures
-- Orders of an event ($1) after order $2 whose money could not be given back, at most $3.
SELECT failure.order_id, orders.account_id, orders.total, failure.error, failure.at
FROM cancellation_failure AS failure JOIN orders ON orders.id = failure.order_id
WHERE failure.event_id = $1 AND failure.order_id > $2 AND orders.state = 'paid'
ORDER BY failure.order_id
LIMIT $3;

-- name: measure_cancellation
-- How far the refunds of a cancelled event ($1) have come, for refunds because of $2: orders by
-- where they are, and sums in tiyn.
SELECT (SELECT count(*) FROM orders WHERE event_id = $1 AND state IN ('open', 'pending')) AS unpaid,
       (SELECT count(*) FROM orders WHERE event_id = $1 AND state = 'paid') AS paid,
       (SELECT count(*) FROM cancellation_failure AS failure
        JOIN orders ON orders.id = failure.order_id
        WHERE failure.event_id = $1 AND orders.state = 'paid') AS failed,
       count(*) FILTER (WHERE refund.state IN ('asked', 'sent')) AS on_the_way,
       count(*) FILTER (WHERE refund.state = 'queued') AS queued,
       count(*) FILTER (WHERE refund.state IN ('done', 'paid_out')) AS done,
       coalesce(sum(refund.amount), 0)::bigint AS amount,
       coalesce(sum(refund.amount) FILTER (WHERE refund.state IN ('done', 'paid_out')), 0)::bigint
           AS amount_done
FROM refund
WHERE refund.event_id = $1 AND refund.reason = $2;

-- name: move_event
-- An event ($1) that is on sale or closed begins at $2 now, on day $3 at the hall. Returns when it
-- was to begin before; no row for any other, or where it begins at that moment anyway.
UPDATE event SET starts_at = $2, local_day = $3, moved_from = coalesce(event.moved_from, event.starts_at)
FROM (SELECT id, starts_at FROM event WHERE id = $1 FOR UPDATE) AS before
WHERE event.id = before.id AND event.state IN ('on_sale', 'closed') AND event.starts_at <> $2
RETURNING before.starts_at;

-- name: reopen_returns
-- Tickets of an event ($1) bought before it was moved at $2 may be returned without a fee as its
-- policy says for the new beginning, and at least until $3, but never after the beginning; a batch
-- of $4. Returns how many were changed.
WITH due AS (
    SELECT ticket.id,
           least(event.starts_at,
                 greatest(CASE WHEN ticket.refund_until < event.starts_at
                               THEN ticket.refund_until END, $3,
                          event.starts_at - make_interval(hours => event.refund_hours))) AS until
    FROM ticket JOIN event ON event.id = ticket.event_id
    WHERE ticket.event_id = $1 AND ticket.state = 'valid' AND ticket.issued_at <= $2
), changed AS (
    UPDATE ticket SET refund_until = due.until, refund_fee = 0
    FROM due
    WHERE ticket.id = ANY (ARRAY(
        SELECT due.id FROM due JOIN ticket AS old ON old.id = due.id
        WHERE old.refund_until <> due.until OR old.refund_fee > 0
        LIMIT $4
    )) AND due.id = ticket.id AND ticket.state = 'valid'
    RETURNING ticket.id
)
SELECT count(*) FROM changed;
