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
