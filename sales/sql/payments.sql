-- name: read_payment_of_order
-- The newest attempt of an order ($1).
SELECT id, order_id, attempt, gateway_order_id, gateway_payment_id, amount, state, version,
       payment_url, return_base, expires_at, created_at, updated_at, last_error
FROM payment WHERE order_id = $1
ORDER BY attempt DESC
LIMIT 1;

-- name: read_order_state
-- The state of an order ($1).
SELECT state FROM orders WHERE id = $1;

-- name: hint_payments
-- Somebody speaks of attempts: each time of the one that the gateway knows as payment $1 or, where
-- we have not heard that id yet, as our order id $2; with payload $3, $4 whether of money. Stages
-- notice $5 in lane $6 for each, due at $7 (now) or, where it is just being captured, at $8. Not for
-- attempts in the states $9, in $10 only where money is spoken of, nor where a notice of the kind
-- that nobody has taken yet is going to see as much. Returns the places in the arrays, from 1, of
-- what was staged.
WITH told AS (
    SELECT said.place, said.payload, found.id,
           CASE found.state WHEN 'authorised' THEN $8::timestamptz ELSE $7::timestamptz END AS due_at
    FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::boolean[])
         WITH ORDINALITY AS said (theirs, ours, payload, is_money, place), LATERAL (
        SELECT id, state FROM payment WHERE gateway_payment_id = said.theirs
        UNION ALL
        SELECT id, state FROM payment
        WHERE gateway_order_id = said.ours AND gateway_payment_id IS NULL
        LIMIT 1
    ) AS found
    WHERE found.state <> ALL ($9::text[]) AND (said.is_money OR found.state <> $10)
), staged AS (
    INSERT INTO notice (kind, subject_id, payload, due_at, created_at, lane)
    SELECT DISTINCT ON (told.id) $5::text, told.id, told.payload, told.due_at, $7, $6
    FROM told
    WHERE NOT EXISTS (
        SELECT FROM notice
        WHERE subject_id = told.id AND kind = $5 AND due_at <= told.due_at AND parked_at IS NULL
    )
    ORDER BY told.id, told.place
    RETURNING subject_id, due_at
)
SELECT told.place,
       (SELECT pg_notify('biletter_notice', '') FROM staged WHERE due_at <= $7 LIMIT 1)
FROM told JOIN staged ON staged.subject_id = told.id;

-- name: read_attempt
-- An attempt ($1) and its order as one snapshot: the order's columns are named o_…. `first_at` is
-- when the order's first attempt began, `has_rival` whether another one is open or captured.
SELECT payment.id, order_id, attempt, gateway_order_id, gateway_payment_id, amount, payment.state,
       payment.version, payment_url, return_base, payment.expires_at, payment.created_at,
       payment.updated_at, last_error,
       orders.id AS o_id, account_id AS o_account_id, event_id AS o_event_id, channel AS o_channel,
       orders.state AS o_state, reason AS o_reason, orders.version AS o_version, epoch AS o_epoch,
       total AS o_total, orders.created_at AS o_created_at, orders.updated_at AS o_updated_at,
       admission_jti AS o_admission_jti, orders.expires_at AS o_expires_at, paid_at AS o_paid_at,
       around.first_at, around.has_rival
FROM payment JOIN orders ON orders.id = payment.order_id, LATERAL (
    SELECT min(other.created_at) AS first_at,
           count(*) FILTER (WHERE other.id <> payment.id AND other.state IN
               ('started', 'offered', 'unknown', 'authorised', 'captured')) > 0 AS has_rival
    FROM payment AS other WHERE other.order_id = payment.order_id
) AS around
WHERE payment.id = $1;

-- name: decline_attempt
-- The bank's no to attempt $3 in state $4 of order $1 of version $2, which stays pending and may
-- be paid until $5; at $6. Returns how many attempts followed (1); no row when somebody was faster.
WITH moved AS (
    UPDATE orders SET version = version + 1, expires_at = $5, updated_at = $6
    WHERE id = $1 AND version = $2 AND state = 'pending' AND reason IS NULL
    RETURNING id
), followed AS (
    UPDATE payment SET state = 'declined', version = version + 1, updated_at = $6
    FROM moved
    WHERE payment.id = $3 AND payment.order_id = moved.id AND payment.state = $4
    RETURNING payment.id
), audited AS (
    INSERT INTO audit (at, actor, action, subject, detail)
    SELECT $6, 'gateway', 'payment.decline', 'order:' || id,
           jsonb_build_object('order', 'pending', 'payment', 'declined', 'payable_until', $5::timestamptz)
    FROM moved
)
SELECT (SELECT count(*) FROM followed) AS followed FROM moved;

-- name: next_attempt
-- Attempt $3 of order $1 of version $2, under gateway order id $4 with return base $5, payable like
-- its order until $6; at $7. Returns its id; no row when somebody was faster.
WITH moved AS (
    UPDATE orders SET version = version + 1, expires_at = $6, updated_at = $7
    WHERE id = $1 AND version = $2 AND state = 'pending' AND reason IS NULL
    RETURNING id, account_id, total
), attempted AS (
    INSERT INTO payment (order_id, attempt, gateway_order_id, amount, return_base, expires_at,
                         created_at, updated_at)
    SELECT id, $3, $4, total, $5, $6, $7, $7 FROM moved
    RETURNING id
), audited AS (
    INSERT INTO audit (at, actor, action, subject, detail)
    SELECT $7, 'account:' || account_id, 'payment.again', 'order:' || id,
           jsonb_build_object('attempt', $3::int)
    FROM moved
)
SELECT id FROM attempted;

-- name: move_attempt
-- The one way an order and its attempt change together: order $1 of version $2 goes from state $3
-- to $4 with reason $5, attempt $6 from state $7 to $8, learning the gateway's payment id $9, form
-- address $10 and last error $11 where they are not NULL; at $12, done by $13 as $14. A payment is
-- captured by capture_attempt alone. Returns one row; none when somebody was faster.
WITH moved AS (
    UPDATE orders
    SET state = $4, reason = $5, version = version + 1, updated_at = $12
    WHERE id = $1 AND version = $2 AND state = $3
    RETURNING id
), followed AS (
    UPDATE payment
    SET state = $8, version = version + 1, updated_at = $12,
        gateway_payment_id = coalesce($9, gateway_payment_id),
        payment_url = coalesce($10, payment_url), last_error = coalesce($11, last_error)
    FROM moved
    WHERE payment.id = $6 AND payment.order_id = moved.id AND payment.state = $7
    RETURNING payment.id
), audited AS (
    INSERT INTO audit (at, actor, action, subject, detail)
    SELECT $12, $13, $14, 'order:' || moved.id,
           jsonb_strip_nulls(jsonb_build_object('order', $4::text, 'payment', $8::text,
                                                'reason', $5::text, 'error', $11::text))
    FROM moved
)
SELECT (SELECT count(*) FROM followed) AS followed FROM moved;
