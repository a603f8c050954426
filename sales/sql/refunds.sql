-- name: read_captured
-- The payment of an order ($1) that was captured, refunded since or not.
SELECT id, gateway_order_id, gateway_payment_id, amount, state
FROM payment WHERE order_id = $1 AND state IN ('captured', 'refunded')
ORDER BY attempt DESC
LIMIT 1;

-- name: list_late_tickets
-- The tickets of an order ($1) whose time to be returned is over, by the clock of the database.
SELECT id FROM ticket WHERE order_id = $1 AND refund_until <= now();

-- name: list_refunds
-- The refunds of an order ($1), the oldest first.
SELECT id, order_id, payment_id, event_id, account_id, reason, amount, fee, state, version,
       created_at, updated_at, sent_at, last_error, reference
FROM refund WHERE order_id = $1
ORDER BY id;

-- name: read_refund
-- One refund ($1).
SELECT id, order_id, payment_id, event_id, account_id, reason, amount, fee, state, version,
       created_at, updated_at, sent_at, last_error, reference
FROM refund WHERE id = $1;

-- name: read_refunded_payment
-- The payment that a refund ($1) gives back.
SELECT payment.id, gateway_order_id, gateway_payment_id, payment.amount, payment.state
FROM refund JOIN payment ON payment.id = refund.payment_id
WHERE refund.id = $1;

-- name: move_order
-- An order ($1) of version $2 goes from state $3 to $4 at $5. Returns its id; no row when somebody
-- was faster.
UPDATE orders SET state = $4, version = version + 1, updated_at = $5
WHERE id = $1 AND version = $2 AND state = $3
RETURNING id;

-- name: open_refund
-- A refund for order $1, payment $2, event $3, account $4 because of $5: amount $6, kept $7, in
-- state $8, at $9, with a word $10 about why the gateway is not asked, or NULL.
INSERT INTO refund (order_id, payment_id, event_id, account_id, reason, amount, fee, state,
                    created_at, updated_at, last_error)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)
RETURNING id, order_id, payment_id, event_id, account_id, reason, amount, fee, state, version,
          created_at, updated_at, sent_at, last_error, reference;

-- name: return_tickets
-- Tickets ($2) of order $1 come back by refund $3: from one of the states $4 to $5, and in time by
-- the clock of the database unless $6. Returns their seats; fewer than asked: the caller rolls back.
UPDATE ticket SET state = $5, refund_id = $3
WHERE order_id = $1 AND id = ANY ($2) AND state = ANY ($4) AND ($6 OR refund_until > now())
RETURNING seat;

-- name: drop_claims
-- The seats ($3) that an order ($2) of an event ($1) owned are nobody's. Returns them.
DELETE FROM seat_claim
WHERE event_id = $1 AND order_id = $2 AND seat = ANY ($3) AND sold
RETURNING seat;

-- name: move_refund
-- A refund ($1) of version $2 goes from state $3 to $4 at $5, learning an error $6 and a reference
-- $7 where they are not NULL; done by $8 as $9, with the address $10 where there is one. `sent_at`
-- is when it was first sent since it was last asked for. Returns it; no row when somebody was faster.
WITH moved AS (
    UPDATE refund
    SET state = $4, version = version + 1, updated_at = $5, last_error = coalesce($6, last_error),
        reference = coalesce($7, reference),
        sent_at = CASE $4 WHEN 'asked' THEN NULL WHEN 'sent' THEN coalesce(sent_at, $5) ELSE sent_at END
    WHERE id = $1 AND version = $2 AND state = $3
    RETURNING id, order_id, payment_id, event_id, account_id, reason, amount, fee, state, version,
              created_at, updated_at, sent_at, last_error, reference
), audited AS (
    INSERT INTO audit (at, actor, action, subject, detail)
    SELECT $5, $8, $9, 'order:' || order_id,
           jsonb_strip_nulls(jsonb_build_object('refund', id, 'was', $3::text, 'state', $4::text, 'amount', amount,
                                                'error', $6::text, 'reference', $7::text,
                                                'by', $10::text))
    FROM moved
)
SELECT * FROM moved;

-- name: refund_payment
-- All of payment $1 has gone back, at $4: from one of the states $2 to the one of $3 beside it. The
-- order's version stands for its payment too, so it is raised.
WITH moved AS (
    UPDATE payment SET state = way.after, version = version + 1, updated_at = $4
    FROM unnest($2::text[], $3::text[]) AS way (before, after)
    WHERE payment.id = $1 AND payment.state = way.before
    RETURNING order_id
)
UPDATE orders SET version = version + 1, updated_at = $4 FROM moved WHERE orders.id = moved.order_id
RETURNING orders.id;

-- name: list_payouts
-- The queue of payouts after refund $1, the oldest first, at most $2, with who is to be paid.
SELECT refund.id, order_id, event_id, event.title AS event_title, account_id, amount, fee, reason,
       refund.state, refund.created_at, refund.updated_at, last_error, reference, refund.version,
       account.email, account.first_name, account.surname
FROM refund LEFT JOIN account ON account.id = refund.account_id
     LEFT JOIN event ON event.id = refund.event_id
WHERE refund.state = 'queued' AND refund.id > $1
ORDER BY refund.id
LIMIT $2;

-- name: list_paid_out
-- Refunds that staff has paid before refund $1, the newest first, at most $2.
SELECT refund.id, order_id, event_id, event.title AS event_title, account_id, amount, fee, reason,
       refund.state, refund.created_at, refund.updated_at, last_error, reference, refund.version,
       account.email, account.first_name, account.surname
FROM refund LEFT JOIN account ON account.id = refund.account_id
     LEFT JOIN event ON event.id = refund.event_id
WHERE refund.state = 'paid_out' AND refund.id < $1
ORDER BY refund.id DESC
LIMIT $2;

-- name: read_payout
-- A refund ($1) that is or was in the queue of payouts; no row for any other. What staff had the
-- gateway asked about again has left it with the gateway's word.
SELECT refund.id, order_id, event_id, event.title AS event_title, account_id, amount, fee, reason,
       refund.state, refund.created_at, refund.updated_at, last_error, reference, refund.version,
       account.email, account.first_name, account.surname
FROM refund LEFT JOIN account ON account.id = refund.account_id
     LEFT JOIN event ON event.id = refund.event_id
WHERE refund.id = $1 AND (refund.state IN ('queued', 'paid_out') OR last_error IS NOT NULL);

-- name: measure_payouts
-- How many refunds wait to be paid by hand, and their sum in tiyn.
SELECT count(*) AS count, coalesce(sum(amount), 0)::bigint AS amount
FROM refund WHERE state = 'queued';
