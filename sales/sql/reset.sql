-- name: stop_placing
-- Nobody places an order while this transaction lasts; reading the epoch goes on. Placing takes
-- the epoch's row lock, hence this lock: unlike the row's it is fair, so a busy sale can't starve it.
LOCK TABLE epoch IN EXCLUSIVE MODE;

-- name: raise_epoch
-- All seat states of the old generation are void. Returns the new one.
UPDATE epoch SET epoch = epoch + 1 RETURNING epoch;

-- name: lock_sales
-- Everything that will be emptied, in one order, before the first row is looked at.
LOCK TABLE orders, order_line, seat_claim, payment, ticket, admission, notice
IN ACCESS EXCLUSIVE MODE;

-- name: list_living_admissions
-- The visits that are not over, at most $1: the room must hear that their places are free.
SELECT event_id, jti, subject FROM admission WHERE ended_at IS NULL LIMIT $1;

-- name: empty_sales
-- No order, claim, payment, ticket, admission or notice is left. Numbers go on where they were:
-- a gateway's order ids must stay unique for ever.
TRUNCATE orders, order_line, seat_claim, payment, ticket, admission, notice CONTINUE IDENTITY;
