-- name: open_order
-- A new empty envelope of account $1 for event $2 by channel $3 under admission $4 at $5.
INSERT INTO orders (account_id, event_id, channel, admission_jti, epoch, created_at, updated_at)
SELECT $1, $2, $3, $4, epoch, $5, $5 FROM epoch
RETURNING id, account_id, event_id, channel, state, reason, version, epoch, total, created_at,
          updated_at, admission_jti, expires_at, paid_at;

-- name: reuse_order
-- The newest open envelope of account $1 for event $2 by channel $3, from now on under admission
-- $4; no row when there is none.
UPDATE orders SET admission_jti = $4
WHERE id = (
    SELECT id FROM orders
    WHERE account_id = $1 AND event_id = $2 AND channel = $3 AND state = 'open'
      AND epoch = (SELECT epoch FROM epoch)
    ORDER BY id DESC
    LIMIT 1
) AND state = 'open'
RETURNING id, account_id, event_id, channel, state, reason, version, epoch, total, created_at,
          updated_at, admission_jti, expires_at, paid_at;

-- name: read_order
-- One order ($1).
SELECT id, account_id, event_id, channel, state, reason, version, epoch, total, created_at,
       updated_at, admission_jti, expires_at, paid_at
FROM orders WHERE id = $1;

-- name: list_orders
-- The newest $2 orders of an account ($1).
SELECT id, account_id, event_id, channel, state, reason, version, epoch, total, created_at,
       updated_at, admission_jti, expires_at, paid_at
FROM orders WHERE account_id = $1
ORDER BY id DESC
LIMIT $2;

-- name: list_lines
-- What an order ($1) was placed with, in seat order.
SELECT seat, zone_no, row_no, seat_no, price FROM order_line WHERE order_id = $1 ORDER BY seat;

-- name: lock_person
-- What is counted for account $2 at event $1 is counted by one transaction at a time. Its own
-- statement, for a statement sees what was committed before it began, not before it waited.
SELECT pg_advisory_xact_lock(hashtextextended('person ' || $1::bigint || ' ' || $2::bigint, 0));

-- name: count_owned
-- The places of event $2 that account $1 has claimed or bought.
SELECT count(*)
FROM orders JOIN seat_claim ON seat_claim.order_id = orders.id AND seat_claim.event_id = $2
WHERE orders.account_id = $1 AND orders.event_id = $2;

-- name: place_order
-- The promise, in one statement, all of it or nothing: order $1 of version $2 goes from state $3 to
-- $4 if its epoch still stands, with its lines, claims, first payment attempt and notices. A seat
-- that another order has claimed is a unique violation, which undoes everything.
-- $5 now, $6 payable until, $7 total; lines as arrays: $8 seats (ascending, so that two orders
-- never wait for each other in a ring), $9 zones, $10 rows, $11 numbers, $12 prices;
-- $13 gateway order id, $14 return base; $15 first look at the payment, $16 lane of the notices;
-- $17 places the account may own at event $18, NULL for any number (else see lock_person); $19 whether
-- only a part of its hall was given to us (then see lock_allotments): else nothing is placed.
-- Returns one row: the epoch now, what the account owns, whether $19 is so, and the attempt as read_attempt does, all
-- NULL where the order was not placed.
WITH current AS (
    SELECT epoch FROM epoch FOR SHARE
), owned AS (
    SELECT count(*) AS places
    FROM orders AS mine
    JOIN orders AS other USING (account_id, event_id)
    JOIN seat_claim ON seat_claim.order_id = other.id AND seat_claim.event_id = $18
    WHERE mine.id = $1 AND $17::int IS NOT NULL
), ruled AS (
    SELECT ownership = 'allotment' AS is_allotted FROM event WHERE id = $18
), placed AS (
    UPDATE orders
    SET state = $4, version = version + 1, total = $7, expires_at = $6, updated_at = $5
    FROM current, owned, ruled
    WHERE orders.id = $1 AND orders.version = $2 AND orders.state = $3
      AND ruled.is_allotted = $19
      AND orders.epoch = current.epoch
      AND ($17 IS NULL OR owned.places + cardinality($8::int[]) <= $17)
    RETURNING orders.id AS o_id, account_id AS o_account_id, event_id AS o_event_id,
        channel AS o_channel, state AS o_state, reason AS o_reason, version AS o_version,
        orders.epoch AS o_epoch, total AS o_total, created_at AS o_created_at,
        updated_at AS o_updated_at, admission_jti AS o_admission_jti, expires_at AS o_expires_at,
        paid_at AS o_paid_at
), lined AS (
    INSERT INTO order_line (order_id, event_id, seat, zone_no, row_no, seat_no, price)
    SELECT placed.o_id, placed.o_event_id, line.*
    FROM placed, unnest($8::int[], $9::int[], $10::int[], $11::int[], $12::bigint[]) AS line
), claimed AS (
    INSERT INTO seat_claim (event_id, seat, order_id, account_id, claimed_at)
    SELECT placed.o_event_id, wanted.seat, placed.o_id, placed.o_account_id, $5
    FROM placed, unnest($8::int[]) AS wanted (seat)
), attempted AS (
    INSERT INTO payment (order_id, attempt, gateway_order_id, amount, return_base, expires_at,
                         created_at, updated_at)
    SELECT placed.o_id, 1, $13, $7, $14, $6, $5, $5 FROM placed
    RETURNING id, order_id, attempt, gateway_order_id, gateway_payment_id, amount, state, version,
        payment_url, return_base, expires_at, created_at, updated_at, last_error
), staged AS (
    INSERT INTO notice (kind, subject_id, due_at, created_at, lane)
    SELECT 'payment.settle', id, $15::timestamptz, $5, $16 FROM attempted
    UNION ALL
    SELECT 'order.expire', o_id, $6, $5, $16 FROM placed
), audited AS (
    INSERT INTO audit (at, actor, action, subject, detail)
    SELECT $5, 'account:' || o_account_id, 'order.place', 'order:' || o_id,
           jsonb_build_object('seats', $8::int[], 'total', $7::bigint)
    FROM placed
)
SELECT current.epoch, owned.places AS owned, ruled.is_allotted, attempted.*, placed.*,
       attempted.created_at AS first_at, false AS has_rival
FROM current, owned, ruled LEFT JOIN attempted ON true LEFT JOIN placed ON true;

-- name: list_claimants
-- Who has the seats ($2) of an event ($1): one row a claim.
SELECT seat, order_id, account_id, sold FROM seat_claim WHERE event_id = $1 AND seat = ANY ($2);

-- name: end_open_order
-- An envelope ($1) of version $2 goes from state $3 to $4 because of $5 at $6, done by $7 as $8.
-- Returns its version; no row when somebody was faster.
WITH ended AS (
    UPDATE orders SET state = $4, reason = $5, version = version + 1, updated_at = $6
    WHERE id = $1 AND version = $2 AND state = $3
    RETURNING id, version
), audited AS (
    INSERT INTO audit (at, actor, action, subject, detail)
    SELECT $6, $7, $8, 'order:' || id, jsonb_build_object('reason', $5::text) FROM ended
)
SELECT version FROM ended;

-- name: close_abandoned
-- Envelopes opened before $1 and left, at most $2, go from open to $3 at $4. The state is named, not
-- given: an index of open orders alone helps no plan that is made for any state.
-- Returns their ids.
WITH ended AS (
    UPDATE orders SET state = $3, reason = 'abandoned', version = version + 1, updated_at = $4
    WHERE id = ANY (ARRAY(
        SELECT id FROM orders WHERE state = 'open' AND created_at < $1
        ORDER BY created_at
        LIMIT $2
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING id
), audited AS (
    INSERT INTO audit (at, actor, action, subject)
    SELECT $4, 'ticker', 'order.abandon', 'order:' || id FROM ended
)
SELECT id FROM ended;

-- name: free_claims
-- Lets go of what an order ($2) of an event ($1) claimed and did not pay. Returns the seats.
DELETE FROM seat_claim WHERE event_id = $1 AND order_id = $2 AND NOT sold RETURNING seat;

-- name: reclaim_seats
-- Claims again, for order $1 at $2, all the seats of its lines. Returns how many it got; fewer
-- than its lines: the caller rolls back.
WITH claimed AS (
    INSERT INTO seat_claim (event_id, seat, order_id, account_id, claimed_at)
    SELECT line.event_id, line.seat, orders.id, orders.account_id, $2
    FROM order_line AS line JOIN orders ON orders.id = line.order_id
    WHERE line.order_id = $1
    ORDER BY line.seat
    ON CONFLICT DO NOTHING
    RETURNING seat
)
SELECT count(*) FROM claimed;

-- name: list_unpassed_orders
-- The newest $4 orders of account $1 for event $2 that were opened without a pass, at $3 or before,
-- and are not over.
SELECT id, state, created_at FROM orders
WHERE account_id = $1 AND event_id = $2 AND created_at <= $3 AND admission_jti IS NULL
  AND state IN ('open', 'pending')
ORDER BY id DESC
LIMIT $4;
