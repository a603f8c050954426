-- name: capture_attempt
-- The money is ours, all that follows in one statement or nothing: order $1 of version $2 goes from
-- state $3 to $4 and its attempt $5 from $6 to $7, at $8. What the order has claimed of event $9 is
-- sold and each of its places has a ticket; the ledger tells fact $10 with an entry for each of the
-- accounts $11 over the amounts $12; notice $13 with payload $14 and the seats, in lane $15, stands
-- in place of those of kinds $16 about subjects $17, of which one that a worker is just closing is
-- left to it. Returns the seats; no row when somebody was faster. Claims that are not the order's
-- places, an attempt that moved by itself and a fact that stands already are errors.
WITH moved AS (
    UPDATE orders SET state = $4, paid_at = $8, version = version + 1, updated_at = $8
    WHERE id = $1 AND version = $2 AND state = $3
    RETURNING id, account_id, event_id
), followed AS (
    UPDATE payment SET state = $7, version = version + 1, updated_at = $8
    FROM moved
    WHERE payment.id = $5 AND payment.order_id = moved.id AND payment.state = $6
    RETURNING payment.id
), sold AS (
    UPDATE seat_claim SET sold = true
    FROM moved
    WHERE seat_claim.event_id = $9 AND seat_claim.order_id = moved.id AND NOT seat_claim.sold
    RETURNING seat_claim.seat
), issued AS (
    INSERT INTO ticket (order_id, account_id, event_id, seat, zone_no, row_no, seat_no, price,
                        serial, refund_until, refund_fee, issued_at)
    SELECT moved.id, moved.account_id, moved.event_id, line.seat, line.zone_no, line.row_no,
           line.seat_no, line.price,
           -- 80 random bits, none of them a version number's: nobody guesses a ticket.
           left(gen_random_uuid()::text, 8) || right(gen_random_uuid()::text, 12),
           event.starts_at - make_interval(hours => event.refund_hours),
           -- Whole tenge, rounded for the buyer.
           least(line.price, event.refund_fee + line.price * event.refund_fee_percent / 10000 * 100),
           $8
    FROM moved
    JOIN event ON event.id = moved.event_id
    JOIN order_line AS line ON line.order_id = moved.id
    RETURNING seat
), posted AS (
    INSERT INTO ledger_posting (fact, event_id, order_id, payment_id, at)
    SELECT $10, moved.event_id, moved.id, followed.id, $8 FROM moved, followed
    RETURNING id
), entered AS (
    INSERT INTO ledger_entry (posting_id, account, amount)
    SELECT posted.id, side.account, side.amount
    FROM posted, unnest($11::text[], $12::bigint[]) AS side (account, amount)
), audited AS (
    INSERT INTO audit (at, actor, action, subject, detail)
    SELECT $8, 'gateway', 'order.pay', 'order:' || id,
           jsonb_build_object('order', $4::text, 'payment', $7::text)
    FROM moved
), dropped AS (
    DELETE FROM notice WHERE id = ANY (ARRAY(
        SELECT notice.id
        FROM moved, unnest($16::text[], $17::bigint[]) AS done (kind, subject_id)
        JOIN notice USING (kind, subject_id)
        WHERE parked_at IS NULL
        FOR UPDATE OF notice SKIP LOCKED
    ))
), given AS (
    SELECT (SELECT array_agg(seat ORDER BY seat) FROM issued) AS seats,
           (SELECT array_agg(seat ORDER BY seat) FROM sold) AS sold,
           (SELECT count(*) FROM followed) AS followed
), staged AS (
    INSERT INTO notice (kind, subject_id, payload, due_at, created_at, lane)
    SELECT $13, moved.id, $14::jsonb || jsonb_build_object('seats', given.seats), $8, $8, $15
    FROM moved, given
    RETURNING id
)
-- What is no array of numbers is an error that says what it is, and undoes all of this.
SELECT CASE WHEN given.sold = given.seats AND given.followed = 1 THEN given.seats
            ELSE ('order ' || moved.id || ': claims and tickets differ')::int[] END AS seats,
       (SELECT pg_notify('biletter_notice', '') FROM staged)
FROM moved, given;
