-- name: read_epoch
-- The generation of all seat states.
SELECT epoch FROM epoch;

-- name: list_claims_of_event
-- What an event's ($1) orders have claimed or own: one row an order, its seats in an array, and
-- until when a claimed one may be paid ($2 where the order does not say).
SELECT claim.order_id, claim.account_id, claim.sold, array_agg(claim.seat) AS seats,
       coalesce(min(orders.expires_at), $2) AS until
FROM seat_claim AS claim LEFT JOIN orders ON orders.id = claim.order_id
WHERE claim.event_id = $1
GROUP BY claim.order_id, claim.account_id, claim.sold;

-- name: list_claims_of_order
-- What an order ($2) of an event ($1) has claimed or owns now.
SELECT seat, account_id, sold FROM seat_claim WHERE event_id = $1 AND order_id = $2;

-- name: list_orders_with_holds
-- The orders of an account ($1) that may hold seats in Redis, newest first, at most $2; of one
-- event ($3) where that is not NULL.
SELECT id, event_id FROM orders
WHERE account_id = $1 AND state IN ('open', 'pending') AND ($3::bigint IS NULL OR event_id = $3)
ORDER BY id DESC
LIMIT $2;
