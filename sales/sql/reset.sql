-- name: stop_placing
-- Nobody places an order while this transaction lasts; reading the epoch goes on. Placing takes
-- the epoch's row lock, hence this lock: unlike the row's it is fair, so a busy sale can't starve it.
LOCK TABLE epoch IN EXCLUSIVE MODE;

-- name: raise_epoch
-- All seat states of the old generation are void. Returns the new one.
UPDATE epoch SET epoch = epoch + 1 RETURNING epoch;

-- name: lock_sales
-- Everything that will be emptied, in one order, before the first row is looked at.
LOCK TABLE orders, order_line, seat_claim, payment, ticket, refund, notice,
           idempotency_key, cancellation_failure
IN ACCESS EXCLUSIVE MODE;

-- name: list_open_payments
-- The payments that may still take money or are being given back, at most $1: the gateway must let
-- go of them.
SELECT id, gateway_order_id, gateway_payment_id
FROM payment
WHERE state IN ('started', 'offered', 'unknown', 'authorised', 'disowned')
   OR id IN (SELECT payment_id FROM refund WHERE state IN ('asked', 'sent'))
LIMIT $1;

-- name: list_admission_notices
-- What the room has not been told yet about visits: it must still hear it.
SELECT kind, subject_id, payload FROM notice WHERE kind LIKE 'admission.%';

-- name: empty_sales
-- No order, claim, payment, ticket, refund or notice is left; visits go on, and used passes stay used.
-- Numbers go on where they were: a gateway's order ids must stay unique for ever.
TRUNCATE orders, order_line, seat_claim, payment, ticket, refund, notice, idempotency_key,
         cancellation_failure
CONTINUE IDENTITY;

-- name: any_partner_order
-- Whether anything is on its way at a partner.
SELECT EXISTS (
    SELECT FROM partner_order WHERE state NOT IN ('refused', 'cancelled', 'confirmed')
);
