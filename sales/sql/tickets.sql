-- name: issue_tickets
-- Sells what order $1 has claimed and issues a ticket for each of its lines at $2; $3 serials,
-- at least as many. Returns the seats sold, which are all of its lines or the caller rolls back.
WITH sold AS (
    UPDATE seat_claim SET sold = true
    FROM orders
    WHERE orders.id = $1 AND seat_claim.order_id = orders.id
      AND seat_claim.event_id = orders.event_id AND NOT seat_claim.sold
    RETURNING seat_claim.seat
), issued AS (
    INSERT INTO ticket (order_id, account_id, event_id, seat, zone_no, row_no, seat_no, price,
                        serial, refund_until, refund_fee, issued_at)
    SELECT orders.id, orders.account_id, orders.event_id, line.seat, line.zone_no, line.row_no,
           line.seat_no, line.price, ($3::text[])[row_number() OVER (ORDER BY line.seat)],
           event.starts_at - make_interval(hours => event.refund_hours),
           -- Whole tenge, rounded for the buyer.
           least(line.price, event.refund_fee + line.price * event.refund_fee_percent / 10000 * 100),
           $2
    FROM orders
    JOIN event ON event.id = orders.event_id
    JOIN order_line AS line ON line.order_id = orders.id
    WHERE orders.id = $1
    RETURNING seat
)
SELECT (SELECT array_agg(seat ORDER BY seat) FROM sold) AS sold,
       (SELECT array_agg(seat ORDER BY seat) FROM issued) AS issued;

-- name: list_tickets_of_order
-- The tickets of an order ($1) in seat order.
SELECT id, order_id, account_id, event_id, seat, zone_no, row_no, seat_no, price, serial, state,
       refund_until, refund_fee, refund_id, issued_at
FROM ticket WHERE order_id = $1
ORDER BY seat;

-- name: list_tickets_of_account
-- The newest $2 tickets of an account ($1).
SELECT id, order_id, account_id, event_id, seat, zone_no, row_no, seat_no, price, serial, state,
       refund_until, refund_fee, refund_id, issued_at
FROM ticket WHERE account_id = $1
ORDER BY id DESC
LIMIT $2;
