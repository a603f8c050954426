-- name: watch_payments
-- Payments not settled, at most $3, begun before $1, that nobody is going to ask about: each gets a
-- notice, due at $2, in lane $4. Returns them.
WITH lost AS (
    SELECT payment.id, payment.order_id, payment.state FROM payment
    WHERE payment.state IN ('started', 'offered', 'unknown', 'authorised', 'disowned')
      AND created_at < $1
      AND NOT EXISTS (
          SELECT FROM notice WHERE subject_id = payment.id AND kind = 'payment.settle'
      )
    ORDER BY created_at
    LIMIT $3
), staged AS (
    INSERT INTO notice (kind, subject_id, due_at, created_at, lane)
    SELECT 'payment.settle', id, $2, $2, $4 FROM lost
)
SELECT id, order_id, state FROM lost;

-- name: find_stuck_payments
-- Payments that should have an end by now, at most $3 beyond the id $4: not settled, payable until
-- before $1, or their money reserved since before $2.
SELECT id, order_id, gateway_order_id, gateway_payment_id, state, amount, last_error
FROM payment
WHERE state IN ('started', 'offered', 'unknown', 'authorised', 'disowned') AND id > $4
  AND (expires_at < $1 OR (state IN ('authorised', 'disowned') AND updated_at < $2))
ORDER BY id
LIMIT $3;

-- name: find_stuck_orders
-- Orders that were payable until before $1 and have no end, at most $2 beyond the id $3.
SELECT id, event_id, total, reason FROM orders
WHERE state = 'pending' AND expires_at < $1 AND id > $3
ORDER BY id
LIMIT $2;

-- name: find_stuck_refunds
-- Refunds that have been the gateway's to give since before $1, at most $2 beyond the id $3.
SELECT refund.id, refund.order_id, refund.state, refund.amount, gateway_order_id, gateway_payment_id
FROM refund JOIN payment ON payment.id = refund.payment_id
WHERE refund.state IN ('asked', 'sent') AND coalesce(refund.sent_at, refund.updated_at) < $1
  AND refund.id > $3
ORDER BY refund.id
LIMIT $2;

-- name: find_stuck_cancellations
-- Paid orders of cancelled events whose money could not be given back, at most $1 beyond the order
-- $2.
SELECT orders.id, failure.event_id, orders.total, failure.error
FROM cancellation_failure AS failure JOIN orders ON orders.id = failure.order_id
WHERE failure.order_id > $2 AND orders.state = 'paid'
ORDER BY failure.order_id
LIMIT $1;

-- name: find_late_lanes
-- Lanes ($1) of the outbox in which a notice has been due since before $2.
SELECT one.lane
FROM unnest($1::text[]) AS one (lane)
WHERE EXISTS (
    SELECT FROM notice
    WHERE notice.lane = one.lane AND due_at < $2 AND parked_at IS NULL
);
