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

-- name: list_booked_seats
-- The places of an order ($1) in seat order, those that were returned left out.
SELECT line.seat
FROM order_line AS line
LEFT JOIN ticket ON ticket.order_id = line.order_id AND ticket.seat = line.seat
WHERE line.order_id = $1 AND ticket.state IS DISTINCT FROM 'returned'
ORDER BY line.seat;
