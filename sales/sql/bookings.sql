-- name: list_bookings
-- The newest $2 orders of an account ($1) that have not ended, with the places of the placed ones
-- in seat order, those that were returned left out; those of open ones are held elsewhere.
SELECT orders.id, orders.event_id, orders.state,
       ARRAY(SELECT line.seat FROM order_line AS line
             LEFT JOIN ticket ON ticket.order_id = line.order_id AND ticket.seat = line.seat
             WHERE line.order_id = orders.id AND ticket.state IS DISTINCT FROM 'returned'
             ORDER BY line.seat) AS seats
FROM orders
WHERE account_id = $1 AND state IN ('open', 'pending', 'paid')
ORDER BY id DESC
LIMIT $2;

-- name: read_booking
-- An order ($1) with the places it was placed with in their order, those that were returned left out.
SELECT id, account_id, event_id, channel, state, reason, version, epoch, total, created_at,
       updated_at, admission_jti, expires_at, paid_at,
       ARRAY(SELECT line.seat FROM order_line AS line
             LEFT JOIN ticket ON ticket.order_id = line.order_id AND ticket.seat = line.seat
             WHERE line.order_id = orders.id AND ticket.state IS DISTINCT FROM 'returned'
             ORDER BY line.seat) AS seats
FROM orders WHERE id = $1;
