-- name: list_payments_of_day
-- Payments begun from $1 until before $2, beyond the id $3, at most $4.
SELECT id, order_id, gateway_order_id, gateway_payment_id, amount, state
FROM payment
WHERE created_at >= $1 AND created_at < $2 AND id > $3
ORDER BY id
LIMIT $4;

-- name: list_payments_with_items
-- Payments that have an open item of kind $1, at most $2.
SELECT payment.id, order_id, gateway_order_id, gateway_payment_id, amount, payment.state
FROM review_item AS item
JOIN payment ON payment.id = split_part(item.subject, ':', 2)::bigint
WHERE item.state = 'open' AND item.kind = $1 AND item.subject LIKE 'payment:%'
LIMIT $2;

-- name: read_payment_state
-- What we say of a payment ($1) now.
SELECT state FROM payment WHERE id = $1;

-- name: sum_day
-- What we say was taken, in tiyn, of payments begun from $1 until before $2, and what the ledger says
-- of the same ones.
SELECT coalesce(sum(payment.amount), 0)::bigint AS taken,
       coalesce(sum(posted.amount), 0)::bigint AS posted
FROM payment
LEFT JOIN LATERAL (
    SELECT sum(entry.amount) AS amount
    FROM ledger_posting AS posting JOIN ledger_entry AS entry ON entry.posting_id = posting.id
    WHERE posting.fact = 'capture:' || payment.id AND entry.account = 'gateway'
) AS posted ON true
WHERE payment.created_at >= $1 AND payment.created_at < $2
  AND payment.state IN ('captured', 'refunded');
