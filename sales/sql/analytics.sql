-- name: read_sales
-- What is sold of an event ($1), by zone: places and the money paid for them.
SELECT line.zone_no, count(*) AS sold, sum(line.price)::bigint AS revenue
FROM seat_claim AS claim
JOIN order_line AS line ON line.order_id = claim.order_id AND line.seat = claim.seat
WHERE claim.event_id = $1 AND claim.sold
GROUP BY line.zone_no;

-- name: count_claiming_orders
-- How many orders have claimed or own at least one place of an event ($1).
SELECT count(DISTINCT order_id) FROM seat_claim WHERE event_id = $1;
