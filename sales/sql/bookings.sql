-- name: list_bookings
-- The newest $2 orders of an account ($1) that have not ended, with the places of the placed ones
-- in seat order; those of open ones are held elsewhere.
SELECT orders.id, orders.event_id, orders.state,
       ARRAY(SELECT seat FROM order_line WHERE order_id = orders.id ORDER BY seat) AS seats
FROM orders
WHERE account_id = $1 AND state IN ('open', 'pending', 'paid')
ORDER BY id DESC
LIMIT $2;
